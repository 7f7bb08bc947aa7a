"""JSON Lines: cut at line ends in one process, parsed in many."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from topicml.io.blocks import Item, parse_items, pass_over, reject_block, unread_block
from topicml.io.compression import Stream
from topicml.io.readers.fields import check_field, make_document, utf8_failure
from topicml.io.records import (
    LARGEST_RECORD,
    TOO_LARGE,
    Block,
    Failure,
    ReadOptions,
    Reject,
    make_reject,
)
from topicml.text.document import Document

HEAD = 1 << 18
"""Bytes at the start of an input that are looked at before it is read."""

_EXACT = 2**63  # whole numbers from here on may come as rounded ones


def check_lines(stream: Stream, options: ReadOptions) -> None:
    """Look for the text's field in the first lines of a stream, without reading them away.

    Raises:
        InputError: None of the records there has it.
    """
    lines = stream.peek(HEAD).removeprefix(codecs.BOM_UTF8).split(b"\n")
    records = ((number, load_json(line)) for number, line in enumerate(lines, start=1))
    check_field(records, stream.name, options.fields.text)


def load_json(data: bytes) -> Any:
    """Return a value, or None where there is no valid JSON."""
    import orjson

    try:
        return orjson.loads(data)
    except ValueError:
        return None


def cut_lines(stream: Stream, block_bytes: int) -> Iterator[Block]:
    """Yield whole lines, about so many bytes at a time."""
    number = 1
    offset = stream.offset
    rest: list[bytes] = []  # the start of a line
    held = 0
    before = 0
    while bytes_read := stream.read(block_bytes):
        cut = bytes_read.rfind(b"\n") + 1
        if cut:
            data = b"".join([*rest, bytes_read[:cut]])
            yield _block(stream, number, offset, data, stream.consumed - before)
            number += data.count(b"\n")
            offset += len(data)
            before = stream.consumed
            rest, held = [], 0
        if cut < len(bytes_read):
            rest.append(bytes_read[cut:])
            held += len(bytes_read) - cut
        if held > LARGEST_RECORD:
            reject, digest = pass_over(stream, number, offset, rest)
            yield reject_block(reject, stream.consumed - before, digest)
            number += 1
            offset = stream.offset
            before = stream.consumed
            rest, held = [], 0
    last = b"".join(rest)
    if stream.failure:
        yield unread_block(stream, number, last, stream.consumed - before)
    elif last:
        yield _block(stream, number, offset, last, stream.consumed - before)


def _block(stream: Stream, number: int, offset: int, data: bytes, size: int) -> Block:
    digest = hashlib.sha256(data).hexdigest()
    place = stream.place(offset)
    return Block(stream.name, number, "jsonl", data, digest, size, place, stream.encoding)


def parse_lines(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each line that is not blank."""
    return parse_items(_lines(block), block, options, parse_element)


def _lines(block: Block) -> Iterator[Item | Reject]:
    offset = block.offset
    for number, line in enumerate(block.data.split(b"\n"), start=block.first):
        place = offset
        if offset is not None:
            offset += len(line) + 1
        if len(line) > LARGEST_RECORD:
            yield make_reject(block.source, number, TOO_LARGE, line, place)
        elif line and not line.isspace() and (number > 1 or line.strip() != codecs.BOM_UTF8):
            yield Item(block.source, number, place, line)


def parse_element(item: Item, block: Block, options: ReadOptions) -> Document | Failure:
    """Return the document of one JSON value, or why there is none."""
    import orjson

    data = item.raw.removeprefix(codecs.BOM_UTF8) if item.number == 1 else item.raw
    try:
        values = orjson.loads(data)
    except ValueError as err:
        return utf8_failure(data, block.encoding) or _json_failure(err)
    if not isinstance(values, dict):
        found = "null" if values is None else type(values).__name__
        return Failure("not_an_object", f"expected an object of fields, found {found}")
    identifier = values.get(options.fields.id)
    if isinstance(identifier, float) and abs(identifier) >= _EXACT:
        values[options.fields.id] = json.loads(data)[options.fields.id]
    return make_document(values, options, item.source, item.number, block.encoding)


def _json_failure(err: ValueError) -> Failure:
    if "surrogate" in str(err):
        return Failure("lone_surrogate", f"there is half of a character ({err})")
    return Failure("broken_json", f"this is not valid JSON ({err})")
