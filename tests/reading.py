"""What the tests of the batch's input share: reading everything, and files to be read."""

import gzip
import io
import json
import pickle
from pathlib import Path
from typing import Any

from topicml.io.records import Chunk, Fields, Record, Reject
from topicml.io.sources import parse_chunk, read_chunks

KEPT = Fields(keep=("date",))


def chunks_of(*inputs: str | Path, fields: Fields | None = None, **options: Any) -> list[Chunk]:
    stdin = io.BytesIO(options.pop("stdin", b""))
    return list(read_chunks([*map(str, inputs)], fields or Fields(), stdin, **options))


def read(
    *inputs: str | Path, fields: Fields | None = None, **options: Any
) -> list[Record | Reject]:
    """Read inputs as a run does, chunks sent to another process included."""
    fields = fields or Fields()
    return [
        item
        for chunk in chunks_of(*inputs, fields=fields, **options)
        for item in parse_chunk(pickle.loads(pickle.dumps(chunk)), fields)  # noqa: S301
    ]


def texts(items: list[Record | Reject]) -> list[str]:
    return [item.text for item in items if isinstance(item, Record)]


def rejects(items: list[Record | Reject]) -> list[tuple[int, str]]:
    return [(item.number, item.reason) for item in items if isinstance(item, Reject)]


def jsonl(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def numbered(count: int) -> bytes:
    return jsonl(*({"id": f"a{n}", "text": f"Text {n}."} for n in range(count)))


def zstd(data: bytes) -> bytes:
    from backports import zstd as module

    return module.compress(data)


COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".zst": zstd}
