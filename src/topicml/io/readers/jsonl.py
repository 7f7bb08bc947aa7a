"""JSON Lines: cut at line ends in one process, parsed in many."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from topicml.io.compression import (
    TOO_LARGE,
    Failure,
    Stream,
    make_reject,
    pass_over,
    reject_block,
    unread_block,
)
from topicml.io.optional_dependencies import load
from topicml.io.readers.records import (
    decode_failure,
    longest_text,
    make_record,
    missing_field,
    refuse_unreadable,
)
from topicml.io.records import LARGEST_RECORD, Block, Fields, Reject
from topicml.text.document import Document

LINES_CHECKED = 100
"""Lines of an input that are looked at for the text's field."""

_HEAD = 1 << 18
_EXACT = 2**63  # whole numbers from here on may come as rounded ones


def check_lines(stream: Stream, fields: Fields) -> None:
    """Look for the text's field in the first lines of a stream, without reading them away.

    Raises:
        InputError: None of the records there has it.
        MissingExtraError: orjson is not installed.
    """
    loads = load("orjson", "batch", "reading JSON Lines").loads
    head = stream.peek(_HEAD)
    refuse_unreadable(head, stream.name)
    without: tuple[int, dict[str, Any]] | None = None
    lines = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    for number, line in enumerate(islice(lines, LINES_CHECKED), start=1):
        try:
            values = loads(line)
        except ValueError:
            continue
        if isinstance(values, dict):
            if fields.text in values:
                return
            without = without or (number, values)
    if without:
        number, values = without
        where = f"{stream.name}:{number}"
        raise missing_field(where, fields.text, values, longest_text(values))


def cut_lines(stream: Stream, block_bytes: int) -> Iterator[Block]:
    """Yield whole lines, about so many bytes at a time."""
    number = 1
    rest: list[bytes] = []  # the start of a line
    held = 0
    before = 0
    while bytes_read := stream.read(block_bytes):
        cut = bytes_read.rfind(b"\n") + 1
        if cut:
            data = b"".join([*rest, bytes_read[:cut]])
            yield _block(stream, number, data, stream.consumed - before)
            number += data.count(b"\n")
            before = stream.consumed
            rest, held = [], 0
        if cut < len(bytes_read):
            rest.append(bytes_read[cut:])
            held += len(bytes_read) - cut
        if held > LARGEST_RECORD:
            reject, digest = pass_over(stream, number, rest)
            yield reject_block(reject, digest, stream.consumed - before)
            number += 1
            before = stream.consumed
            rest, held = [], 0
    last = b"".join(rest)
    if stream.failure:
        yield unread_block(stream, number, last, stream.consumed - before)
    elif last:
        yield _block(stream, number, last, stream.consumed - before)


def _block(stream: Stream, number: int, data: bytes, size: int) -> Block:
    return Block(stream.name, number, "jsonl", data, hashlib.sha256(data).hexdigest(), size)


def parse_lines(block: Block, fields: Fields) -> Iterator[Document | Reject]:
    """Yield a record or a reject for each line that is not blank."""
    loads = load("orjson", "batch", "reading JSON Lines").loads
    for number, raw in enumerate(block.data.split(b"\n"), start=block.first):
        if len(raw) > LARGEST_RECORD:
            yield make_reject(block.source, number, TOO_LARGE, raw)
            continue
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line or line.isspace():
            continue
        try:
            values = loads(line)
        except ValueError as err:
            failure = decode_failure(line) or Failure(_reason(err), str(err))
            yield make_reject(block.source, number, failure, raw)
            continue
        if not isinstance(values, dict):
            failure = Failure("not_an_object", f"expected an object, found {_kind(values)}")
            yield make_reject(block.source, number, failure, raw)
            continue
        identifier = values.get(fields.id)
        if isinstance(identifier, float) and abs(identifier) >= _EXACT:
            values[fields.id] = json.loads(line)[fields.id]
        yield make_record(values, fields, block.source, number, raw)


def _reason(err: ValueError) -> str:
    return "lone_surrogate" if "surrogate" in str(err) else "broken_json"


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
