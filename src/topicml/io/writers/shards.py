"""Tagged records as bytes: JSON Lines, CSV and Parquet, plain or compressed.

A block's records become one piece of bytes. Pieces of JSON Lines and CSV, each compressed by
itself, make the file when put behind one another; those of Parquet are Arrow streams, from
which ``assemble_parquet`` makes the file at the end.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from topicml.errors import InputError
from topicml.io.optional_dependencies import load, load_zstd
from topicml.tagging.tagger import Detail

Format = Literal["jsonl", "csv", "parquet"]
Compression = Literal["none", "gzip", "zstd"]

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3
_SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class Output:
    """What is written.

    Attributes:
        format: Of the file.
        compression: Of the whole file; Parquet compresses inside.
        detail: How much is said of each record.
        topics: T topic ids, in column order.
        keep: Fields that are carried through.
        dedupe: Whether records say what they are near copies of.
    """

    format: Format
    compression: Compression
    detail: Detail
    topics: tuple[str, ...]
    keep: tuple[str, ...] = ()
    dedupe: bool = False

    def header(self) -> bytes:
        """Return what stands before all records."""
        if self.format != "csv":
            return b""
        return self._compress(_csv_bytes([self._csv_header()]))

    def encode(self, records: Sequence[dict[str, Any]]) -> bytes:
        """Return a block's records as one piece; nothing for no records."""
        if not records:
            return b""
        if self.format == "parquet":
            return _arrow_bytes(records_to_arrow(records, self))
        data = _json_lines(records) if self.format == "jsonl" else self._csv_rows(records)
        return self._compress(data)

    def _compress(self, data: bytes) -> bytes:
        if self.compression == "gzip":
            return gzip.compress(data, _GZIP_LEVEL, mtime=0)
        if self.compression == "zstd":
            return bytes(load_zstd().compress(data, level=_ZSTD_LEVEL))
        return data

    def _csv_header(self) -> list[str]:
        columns = ["id", "model"]
        if self.detail != "article":
            columns += ["index", "start", "end"]
        columns += ["topics", "reason"]
        columns += self.topics if self.detail == "probabilities" else ["probabilities"]
        return [*columns, *(["duplicate_of"] if self.dedupe else []), *self.keep]

    def _csv_rows(self, records: Iterable[dict[str, Any]]) -> bytes:
        rows = []
        for record in records:
            last = [record["duplicate_of"] or ""] if self.dedupe else []
            last += [_plain(record.get(name)) for name in self.keep]
            rows += [[*row, *last] for row in self._csv_record(record)]
        return _csv_bytes(rows)

    def _csv_record(self, record: dict[str, Any]) -> list[list[Any]]:
        """Return a row for each sentence, or one for the record where there is none."""
        first = [record["id"], record["model"]]
        places = [] if self.detail == "article" else ["", "", ""]
        if not record.get("sentences"):
            names = [topic["topic"] for topic in record["topics"]]
            values = [f"{topic['probability']:.6f}" for topic in record["topics"]]
            numbers = [""] * len(self.topics)
            middle = numbers if self.detail == "probabilities" else [";".join(values)]
            return [[*first, *places, ";".join(names), record["reason"] or "", *middle]]
        rows = []
        for sentence in record["sentences"]:
            found = [f"{value:.6f}" for value in sentence["probabilities"].values()]
            place = [sentence["index"], sentence["start"], sentence["end"]]
            middle = found if self.detail == "probabilities" else [";".join(found)]
            topics = ";".join(sentence["topics"])
            rows.append([*first, *place, topics, sentence.get("reason") or "", *middle])
        return rows


def output_kind(path: str) -> tuple[Format, Compression]:
    """Return format and compression by a file name's endings; JSON Lines for ``-``.

    Raises:
        InputError: The name says of no known format.
    """
    suffixes = [] if path == "-" else Path(path).suffixes
    compression: Compression = "none"
    if suffixes and suffixes[-1].lower() in _SUFFIXES:
        compression = _SUFFIXES[suffixes.pop().lower()]
    name = suffixes[-1].lower().removeprefix(".") if suffixes else "jsonl"
    name = "jsonl" if name == "ndjson" else name
    for known in get_args(Format):
        if name == known and (known != "parquet" or compression == "none"):
            return known, compression
    raise InputError(
        "unknown kind of output",
        where=path,
        hint="Names end in .jsonl, .csv (each also .gz or .zst) or .parquet.",
    )


def _arrow(module: str = "pyarrow") -> Any:
    return load(module, "batch", "writing Parquet")


def _json_lines(records: Iterable[dict[str, Any]]) -> bytes:
    orjson = load("orjson", "batch", "writing JSON Lines")
    return b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records)


def _csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8")


def _plain(value: Any) -> str:
    """Return a kept value as text: strings as they are, others as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return _json_lines([value]).decode("utf-8").rstrip("\n")


def arrow_schema(output: Output) -> Any:
    """Return the Arrow schema of tagged records; kept fields are strings, others JSON."""
    pa = _arrow()
    pairs = pa.list_(
        pa.struct([pa.field("topic", pa.string()), pa.field("probability", pa.float64())])
    )
    topic = [
        pa.field("topic", pa.string()),
        pa.field("probability", pa.float64()),
        pa.field("sentences", pa.list_(pa.int32())),
    ]
    sentence = [
        pa.field("index", pa.int32()),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
        pa.field("topics", pa.list_(pa.string())),
        *([pa.field("reason", pa.string())] if output.detail == "probabilities" else []),
        pa.field("probabilities", pairs),
    ]
    fields = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("topics", pa.list_(pa.struct(topic))),
        pa.field("reason", pa.string()),
    ]
    if output.detail != "article":
        fields.append(pa.field("sentences", pa.list_(pa.struct(sentence))))
    if output.dedupe:
        fields.append(pa.field("duplicate_of", pa.string()))
    return pa.schema([*fields, *(pa.field(name, pa.string()) for name in output.keep)])


def records_to_arrow(records: Sequence[dict[str, Any]], output: Output) -> Any:
    """Return tagged records as a ``pyarrow.RecordBatch`` of ``arrow_schema``."""
    pa = _arrow()
    rows = []
    for record in records:
        row = dict(record)
        if "sentences" in row:
            row["sentences"] = [
                {
                    **sentence,
                    "probabilities": [
                        {"topic": topic, "probability": value}
                        for topic, value in sentence["probabilities"].items()
                    ],
                }
                for sentence in row["sentences"]
            ]
        for name in output.keep:
            row[name] = None if row.get(name) is None else _plain(row[name])
        rows.append(row)
    return pa.RecordBatch.from_pylist(rows, schema=arrow_schema(output))


def _arrow_bytes(batch: Any) -> bytes:
    pa = _arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def assemble_parquet(pieces: Path, lengths: Iterable[int], output: Output, target: Path) -> None:
    """Make a Parquet file, a row group a piece, from Arrow streams behind one another.

    Args:
        pieces: File with the streams.
        lengths: Bytes of each.
        output: What is written.
        target: File to write.
    """
    pa = _arrow()
    parquet = _arrow("pyarrow.parquet")
    schema = arrow_schema(output)
    with (
        pieces.open("rb") as file,
        target.open("wb") as out,
        parquet.ParquetWriter(out, schema, compression="zstd") as writer,
    ):
        for length in lengths:
            if length:
                writer.write_table(pa.ipc.open_stream(file.read(length)).read_all())
