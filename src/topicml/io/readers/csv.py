"""CSV and TSV: cut into rows in one process, parsed in many."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator

from topicml.io.blocks import Item, pack, parse_items
from topicml.io.compression import Stream
from topicml.io.readers.csv_layout import sniff
from topicml.io.readers.csv_rows import WRONG_QUOTES, RowCutter, split_row
from topicml.io.readers.fields import make_document, utf8_failure
from topicml.io.records import Block, Failure, ReadOptions, Reject
from topicml.text.document import Document


def check_header(stream: Stream, options: ReadOptions, delimiter: str = ",") -> None:
    """Look for the text's column at the start of a stream, without reading it away.

    ``delimiter`` is the one that is meant where the rows do not say.

    Raises:
        InputError: It has no such column.
    """
    sniff(stream, options.fields, delimiter)


def cut_rows(
    stream: Stream,
    options: ReadOptions,
    block_bytes: int,
    note: Callable[[str], None],
    delimiter: str = ",",
) -> Iterator[Block]:
    """Yield rows, about so many bytes at a time, each block with the names of the columns."""
    layout = sniff(stream, options.fields, delimiter)
    if not layout.names:
        return
    note(f"{stream.name}: {layout.described()}")
    cutter = RowCutter(stream, layout.delimiter)
    if layout.has_header:
        next(iter(cutter), None)
    common = (layout.delimiter, *layout.names)
    yield from pack(stream, cutter, "rows", block_bytes, common)


def parse_rows(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each row."""
    return parse_items(block.data.items, block, options, _parse_row)


def _parse_row(item: Item, block: Block, options: ReadOptions) -> Document | Failure:
    delimiter, *names = block.data.common
    try:
        cells = split_row(item.raw, delimiter)
    except UnicodeDecodeError:
        return utf8_failure(item.raw, block.encoding) or WRONG_QUOTES
    except csv.Error as err:
        return Failure("bad_row", f"this is no row of cells ({err})")
    if len(cells) != len(names):
        return Failure(
            "bad_row", f"expected {len(names)} columns between {delimiter!r}, found {len(cells)}"
        )
    values = dict(zip(names, cells, strict=True))
    return make_document(values, options, item.source, item.number, block.encoding)
