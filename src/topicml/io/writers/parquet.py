"""Parquet: pieces are Arrow streams, from which the file is made, a row group a piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, Any

from topicml.io.optional_dependencies import load
from topicml.io.writers.csv import kept_names, kept_text, kept_values
from topicml.io.writers.output import Output


def _arrow(module: str = "pyarrow") -> Any:
    return load(module, "batch", "writing Parquet")


def encode(records: Sequence[dict[str, Any]], output: Output) -> bytes:
    """Return records as one Arrow stream."""
    pa = _arrow()
    batch = records_to_arrow(records, output)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def write_file(pieces: Iterable[bytes], output: Output, out: IO[bytes]) -> None:
    """Write a Parquet file, a row group for each piece that is not empty.

    Args:
        pieces: From ``encode``.
        output: What is written.
        out: Where to.
    """
    pa, parquet = _arrow(), _arrow("pyarrow.parquet")
    with parquet.ParquetWriter(out, arrow_schema(output), compression="zstd") as writer:
        for piece in pieces:
            if piece:
                writer.write_table(pa.ipc.open_stream(piece).read_all())


def arrow_schema(output: Output) -> Any:
    """Return the Arrow schema of records; kept fields are strings, others JSON."""
    pa = _arrow()
    pair = [pa.field("topic", pa.string()), pa.field("probability", pa.float64())]
    topic = [*pair, pa.field("sentences", pa.list_(pa.int32()))]
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("topics", pa.list_(pa.struct(topic))),
        pa.field("reason", pa.string()),
    ]
    if output.detail != "article":
        sentence = pa.struct(_sentence_fields(pa, pair, full=output.detail == "probabilities"))
        fields.append(pa.field("sentences", pa.list_(sentence)))
    if output.second_opinion:
        again = [pa.field("model", pa.string()), pa.field("sentences", pa.list_(pa.int32()))]
        fields.append(pa.field("second_opinion", pa.struct(again)))
    if output.dedupe:
        fields.append(pa.field("duplicate_of", pa.string()))
    return pa.schema([*fields, *(pa.field(name, pa.string()) for name in kept_names(output))])


def _sentence_fields(pa: Any, pair: list[Any], *, full: bool) -> list[Any]:
    return [
        pa.field("index", pa.int32()),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
        *([pa.field("text", pa.string())] if full else []),
        pa.field("topics", pa.list_(pa.string())),
        pa.field("reason", pa.string()),
        *([pa.field("relevance", pa.float64())] if full else []),
        pa.field("probabilities", pa.list_(pa.struct(pair))),
    ]


def records_to_arrow(records: Sequence[dict[str, Any]], output: Output) -> Any:
    """Return records as a ``pyarrow.RecordBatch`` of ``arrow_schema``."""
    rows = [_row(record, output) for record in records]
    return _arrow().RecordBatch.from_pylist(rows, schema=arrow_schema(output))


def _row(record: dict[str, Any], output: Output) -> dict[str, Any]:
    row = dict(record)
    if "sentences" in row:
        row["sentences"] = [
            {**sentence, "probabilities": _pairs(sentence["probabilities"])}
            for sentence in row["sentences"]
        ]
    for name, value in zip(kept_names(output), kept_values(record, output), strict=True):
        row[name] = None if value is None else kept_text(value)
    return row


def _pairs(probabilities: dict[str, float]) -> list[dict[str, Any]]:
    return [{"topic": topic, "probability": value} for topic, value in probabilities.items()]
