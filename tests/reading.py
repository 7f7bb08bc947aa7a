"""What the tests of readers share: reading everything, and files to be read."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topicml.io import child
from topicml.io.blocks import Block
from topicml.io.readers import check_sources, parse_block, read_blocks
from topicml.io.records import Fields, ReadOptions, Reject
from topicml.io.sources import list_sources
from topicml.text.document import Document

KEPT = Fields(keep=("date",))


def blocks_of(
    *inputs: str | Path,
    stdin: bytes = b"",
    input_format: str | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - it is frozen
    **more: Any,
) -> list[Block]:
    """List, check and read inputs as a run does; the first input that is missing is raised."""
    listing = list_sources([*map(str, inputs)], input_format)
    for error in listing.errors:
        raise error
    sources = check_sources(listing.sources, options)
    return list(read_blocks(sources, options, io.BytesIO(stdin), **more))


def read(
    *inputs: str | Path,
    fields: Fields | None = None,
    encoding: str | None = None,
    any_text: bool = False,
    delimiter: str | None = None,
    has_header: bool = True,
    **more: Any,
) -> list[Document | Reject]:
    """Read inputs as a run does, blocks sent to another process included."""
    options = ReadOptions(fields or Fields(), encoding, any_text, delimiter, has_header)
    return [
        item
        for block in blocks_of(*inputs, options=options, **more)
        for item in parse_block(pickle.loads(pickle.dumps(block)), options)  # noqa: S301
    ]


def texts(items: list[Document | Reject]) -> list[str]:
    return [item.text for item in items if isinstance(item, Document)]


def rejects(items: list[Document | Reject]) -> list[tuple[int, str]]:
    return [(item.number, item.reason) for item in items if isinstance(item, Reject)]


@contextlib.contextmanager
def hidden(package: str, folder: Path) -> Iterator[None]:
    """Hide a package from the child process that reads pages and documents."""
    folder.mkdir()
    (folder / f"{package}.py").write_text("raise ModuleNotFoundError")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        child.close()
        yield
        child.close()


def without_trafilatura(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Hide what finds the main text of pages."""
    return hidden("trafilatura", folder)


def jsonl(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def numbered(count: int) -> bytes:
    return jsonl(*({"id": f"a{n}", "text": f"Text {n}."} for n in range(count)))


def zstd(data: bytes, *, checksum: bool = False) -> bytes:
    """Compress; as the command zstd does with a checksum, without which damage may be missed."""
    from backports import zstd as module

    return module.compress(data, options={module.CompressionParameter.checksum_flag: int(checksum)})


COMPRESSORS = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
