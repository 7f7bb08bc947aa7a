"""What the tests of the batch's input share: reading everything, and files to be read."""

import gzip
import io
import json
import pickle
from pathlib import Path
from typing import Any

from topicml.io.records import Block, Fields, Reject
from topicml.io.sources import parse_block, read_blocks
from topicml.text.document import Document

KEPT = Fields(keep=("date",))


def blocks_of(*inputs: str | Path, fields: Fields | None = None, **options: Any) -> list[Block]:
    stdin = io.BytesIO(options.pop("stdin", b""))
    return list(read_blocks([*map(str, inputs)], fields or Fields(), stdin, **options))


def read(
    *inputs: str | Path, fields: Fields | None = None, **options: Any
) -> list[Document | Reject]:
    """Read inputs as a run does, blocks sent to another process included."""
    fields = fields or Fields()
    return [
        item
        for block in blocks_of(*inputs, fields=fields, **options)
        for item in parse_block(pickle.loads(pickle.dumps(block)), fields)  # noqa: S301
    ]


def texts(items: list[Document | Reject]) -> list[str]:
    return [item.text for item in items if isinstance(item, Document)]


def rejects(items: list[Document | Reject]) -> list[tuple[int, str]]:
    return [(item.number, item.reason) for item in items if isinstance(item, Reject)]


def jsonl(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def numbered(count: int) -> bytes:
    return jsonl(*({"id": f"a{n}", "text": f"Text {n}."} for n in range(count)))


def zstd(data: bytes) -> bytes:
    from backports import zstd as module

    return module.compress(data)


COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".zst": zstd}
