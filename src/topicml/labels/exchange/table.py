"""CSV and TSV: a row a sentence, its topics in one column.

Names in a cell are joined by ``|``; ``;``, ``,`` and doccano's ``#`` are read, too. Cells that a
spreadsheet would run have an apostrophe before them, which is taken off again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

from topicml.io.writers.csv import defused
from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import NAMES, answer, metadata, own_metadata
from topicml.labels.exchange.source import Source
from topicml.labels.records import LabelRecord

_JOINED = "|"
_SEPARATORS = (_JOINED, ";", ",", "#")
_DELIMITERS = (",", ";", "\t", "|")
_LABELS = ("topics", "label", "labels")
_INTEGERS = ("record_start", "record_end", "record_round")
_APOSTROPHES = re.compile(r"'+[=+\-@\t\r]")


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotation of each row.

    Raises:
        LabelError: It is no table, or has no column of texts or of labels.
    """
    delimiter, names = _header(source, columns.text)
    label = _label_column(source, names, columns.label)
    for number, row in _rows(source, delimiter):
        if number == 1 or not any(row):
            continue
        if len(row) != len(names):
            raise source.wrong(number, f"{len(row)} cells under {len(names)} names of columns")
        cells: dict[str, Any] = dict(zip(names, map(_shown, row), strict=True))
        text = source.text_of(number, cells, columns.text)
        yield ForeignAnnotation(
            number,
            text,
            _names(source, number, cells[label], columns.known),
            is_said=False,
            id=cells.get("id", ""),
            annotator=cells.get("annotator", ""),
            **own_metadata(source, number, _typed(source, number, cells), text),
        )


def _header(source: Source, text: str) -> tuple[str, list[str]]:
    found: list[list[str]] = []
    for delimiter in _DELIMITERS:
        names = [name.strip() for name in next(_rows(source, delimiter), (1, [""]))[1]]
        if text in names:
            _check_each_once(source, names)
            return delimiter, names
        found.append(names)
    _, widest = max((len(names), names) for names in found)
    listed = ", ".join(widest)
    hint = f"There are: {listed}. Name the column of the text with --text-field."
    raise source.wrong(1, f"no column {text!r}", hint)


def _check_each_once(source: Source, names: Sequence[str]) -> None:
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise source.wrong(1, f"two columns are called {twice[0]!r}", "Rename or remove one.")


def _rows(source: Source, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the line that each starts at."""
    if csv.field_size_limit() < len(source.text):  # no cell is longer, and all of it is here
        csv.field_size_limit(len(source.text))
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as err:
        raise source.wrong(line, f"no row of cells ({err})", "Look at its quotes.") from err


def _label_column(source: Source, names: Sequence[str], asked: str | None) -> str:
    wanted = (asked,) if asked else _LABELS
    found = [name for name in wanted if name in names]
    if not found:
        hint = f"There are: {', '.join(names)}. Name the one of the labels with --label-field."
        raise source.wrong(1, f"no column {wanted[0]!r}", hint)
    if len(found) > 1:
        hint = "Say with --label-field which are the topics."
        raise source.wrong(1, f"labels in several columns: {', '.join(found)}", hint)
    return found[0]


def _names(source: Source, number: int, cell: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names in a cell; one that is known whole is not taken apart."""
    cell = cell.strip()
    if cell.startswith(('{"choices"', "[")):  # as Label Studio writes it
        try:
            value = json.loads(cell)
        except ValueError as err:
            raise source.wrong(number, f"labels are not valid JSON ({err})") from err
        return source.names(number, value["choices"] if isinstance(value, dict) else value)
    separators = [mark for mark in _SEPARATORS if mark in cell and cell not in known]
    parts = cell.split(separators[0]) if separators else [cell]
    return tuple(part.strip() for part in parts if part.strip())


def _typed(source: Source, number: int, cells: dict[str, str]) -> dict[str, Any]:
    """Return metadata as they were: topics as a list, numbers as numbers, empty ones absent."""
    fields: dict[str, Any] = {name: cell for name, cell in cells.items() if cell}
    for name in _INTEGERS:
        try:
            fields |= {name: int(fields[name])} if name in fields else {}
        except ValueError as err:
            raise source.wrong(number, f"{name} is {fields[name]!r} and no whole number") from err
    topics = cells.get("record_topics", "").split(_JOINED)
    return fields | {"record_topics": [topic for topic in topics if topic]}


def _write(records: Sequence[LabelRecord], _topics: Sequence[str], delimiter: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["id", "text", "topics", *NAMES])
    writer.writerows(map(_row, records))
    return text.getvalue()


write_csv = partial(_write, delimiter=",")
write_tsv = partial(_write, delimiter="\t")


def _row(record: LabelRecord) -> list[Any]:
    own = metadata(record)
    own["record_topics"] = _JOINED.join(record.topics)
    topics = _JOINED.join(answer(record) or ())
    cells = [record.id, record.text, topics, *(own.get(name, "") for name in NAMES)]
    return [_guarded(cell) for cell in cells]


def _guarded(cell: Any) -> Any:
    """Return a cell that no spreadsheet runs, and that ``_shown`` turns back."""
    is_like_guarded = isinstance(cell, str) and _APOSTROPHES.match(cell)
    return f"'{cell}" if is_like_guarded else defused(cell)


def _shown(cell: str) -> str:
    return cell[1:] if _APOSTROPHES.match(cell) else cell
