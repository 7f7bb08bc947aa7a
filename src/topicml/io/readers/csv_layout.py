"""What separates the columns of a CSV or TSV file, and what they are called."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from topicml.errors import InputError
from topicml.io.blocks import HEAD, Cutter
from topicml.io.compression import Stream
from topicml.io.readers.csv_rows import RowCutter, split_row
from topicml.io.readers.fields import (
    check_columns,
    listed,
    longest_text,
    missing_field,
    repeated_field,
    text_option,
)
from topicml.io.records import LARGEST_RECORD, Fields, ReadOptions, Reject

_DELIMITERS = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'"}
_ROWS = 50
_LONGEST_NAME = 60
_MOST_WORDS = 6
_NO_NAME = re.compile(r"[\W\d_]*|.*[.!?]\s*", re.DOTALL)
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?sep=([,;|\t])\r?\n")  # as Excel has it
_DEFAULT_TEXT = Fields().text


_Rows = list[list[str]]


class _Layout(NamedTuple):
    """How the rows of a file are to be read.

    Attributes:
        names: Of the columns. In a file without a header they are 1, 2, 3 and so on, but for the
            one that was taken for the text.
        has_header: Whether the first row is one.
        description: What was taken.
    """

    names: list[str]
    has_header: bool
    description: str


def cut_commas(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a CSV file into rows; see ``cut_table``."""
    return cut_table(stream, options, ",")


def cut_tabs(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a TSV file into rows; see ``cut_table``."""
    return cut_table(stream, options, "\t")


def cut_table(stream: Stream, options: ReadOptions, default: str) -> Cutter:
    """Cut a file into rows.

    Args:
        stream: The file, in UTF-8.
        options: Which columns are what.
        default: Delimiter where the rows do not say.

    Raises:
        InputError: There are rows, and no column that is the text's, or more than one.
    """
    head = stream.peek(HEAD)
    if b"\r" in head and b"\n" not in head:
        stream.end_lines_at_returns()
        head = stream.peek(HEAD)
    if declared := _DECLARED.match(head):
        stream.read(declared.end())
        default = declared[1].decode()
    default = options.delimiter or default
    known = () if options.delimiter else _DELIMITERS
    found = _first_rows_by_delimiter(stream, dict.fromkeys((default, *known)))
    if not found:
        return Cutter(stream)
    delimiter = _choose(found, options.fields.texts, default)
    if not found[delimiter]:
        raise InputError(
            "the first line is no row of cells",
            where=f"{stream.name}:1",
            hint="Name the columns in the first line, and end lines with line feeds.",
        )
    layout = _name_columns(found[delimiter], options, stream.name)
    cutter = RowCutter(stream, delimiter)
    cutter.lacking = check_columns(f"{stream.name}:1", layout.names, options.fields)
    cutter.common = (delimiter, *layout.names)
    cutter.fields = tuple(layout.names)
    mark = _DELIMITERS.get(delimiter) or repr(delimiter)
    cutter.description = f"separated by {mark}, {layout.description}"
    if layout.has_header:
        next(iter(cutter), None)
    return cutter


def _first_rows_by_delimiter(stream: Stream, order: Iterable[str]) -> dict[str, _Rows]:
    """Return the first rows that each delimiter gives; nothing for an empty file."""
    for size in (HEAD, LARGEST_RECORD + 1):
        head = stream.peek(size)
        is_whole = len(head) < size
        found = {d: _first_rows(head, d, is_whole=is_whole) for d in order}
        if is_whole or any(found.values()):
            break
    return found if head.removeprefix(codecs.BOM_UTF8).strip() else {}


def _first_rows(head: bytes, delimiter: str, *, is_whole: bool) -> _Rows:
    """Return the cells of the first rows that can be read; nothing where the first one cannot."""
    cutter = RowCutter(Stream(BytesIO(head), ""), delimiter)
    items = [*islice(cutter, _ROWS)]
    if not is_whole and cutter.is_at_end:  # the last one may be cut in two
        items = items[:-1]
    rows = []
    for number, item in enumerate(items):
        try:
            if not isinstance(item, Reject):
                rows.append(split_row(item.raw, delimiter))
        except (UnicodeDecodeError, csv.Error):
            pass
        if number == 0 and not rows:
            break
    return rows


def _choose(found: dict[str, _Rows], texts: tuple[str, ...], default: str) -> str:
    """Return the delimiter whose first row has the text's column, or that gives the best table."""
    for delimiter, rows in found.items():
        if rows and not {*texts}.isdisjoint(_stripped(rows[0])):
            return delimiter
    tables = {
        delimiter: _evenness(rows)
        for delimiter, rows in found.items()
        if rows and len(rows[0]) > 1 and not _is_prose(rows)
    }
    return max(tables, key=tables.__getitem__, default=default)


def _evenness(rows: _Rows) -> tuple[float, int]:
    """Return how many rows are as wide as the first, as a share, and how wide that is."""
    width = len(rows[0])
    return sum(len(row) == width for row in rows) / len(rows), width


def _is_prose(rows: _Rows) -> bool:
    """Whether what separates the columns is punctuation, with a space behind it."""
    behind = [cell.startswith(" ") for row in rows for cell in row[1:]]
    return 2 * sum(behind) > len(behind)


def _name_columns(rows: _Rows, options: ReadOptions, source: str) -> _Layout:
    texts = options.fields.texts
    if not options.has_header:
        return _number_columns(rows, texts[0], source)
    names = _stripped(rows[0])
    if found := [text for text in texts if text in names]:
        if names.count(found[0]) > 1:
            raise repeated_field(f"{source}:1", found[0])
        return _Layout(names, True, f"columns {listed(names)}")
    if _are_names(names) and not texts[0].isdigit():
        sample = rows[1] if len(rows) > 1 else []
        guess = longest_text(dict(zip(names, sample, strict=False)))
        raise missing_field(f"{source}:1", texts[0], names, guess)
    if options.delimiter is None and _is_prose(rows):
        raise InputError(
            "this reads like prose and not like a table",
            where=source,
            hint="Give it as text (--input-format txt), or name the columns in the first line.",
        )
    return _number_columns(rows, texts[0], source)


def _number_columns(rows: _Rows, text: str, source: str) -> _Layout:
    """Return the layout of a file without a header."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    names = [str(number) for number in range(1, width + 1)]
    description = f"without a header, columns 1 to {width}"
    if text in names:
        return _Layout(names, False, description)
    columns = zip(*(row for row in rows if len(row) == width), strict=True)
    lengths = [sum(map(len, column)) for column in columns]
    longest = max(range(width), key=lengths.__getitem__) + 1
    if text != _DEFAULT_TEXT:
        raise InputError(
            f"no column {text!r}: there are no names, or the first line reads like data",
            where=f"{source}:1",
            hint=f"Columns are numbered then, 1 to {width}. "
            f"Name the one with the text: {text_option(str(longest))}",
        )
    names[longest - 1] = text
    return _Layout(names, False, f"{description}, the text in column {longest}")


def _stripped(cells: Iterable[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _are_names(cells: list[str]) -> bool:
    """Whether a row reads like names of columns: short words, no two alike, and none missing.

    The first one may be: so are the numbers of rows written by some tools.
    """
    names = cells if cells[0] or len(cells) == 1 else cells[1:]
    if len({name.lower() for name in names}) < len(names):
        return False
    return all(
        len(name) <= _LONGEST_NAME
        and len(name.split()) <= _MOST_WORDS
        and not _NO_NAME.fullmatch(name)
        for name in names
    )
