"""CSV: a row a sentence, or a row an article where nothing is said of sentences."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from topicml.io.records import ALL
from topicml.io.writers.output import OTHERS, Output
from topicml.tagging.articles import FIELDS

_RUNS = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def columns(output: Output) -> list[str]:
    """Return the names of the columns, but for those of fields that are carried through."""
    columns = ["id", "model"]
    if output.detail != "article":
        columns += ["index", "start", "end"]
    full = output.detail == "probabilities"
    columns += [*(["text"] if full else []), "topics", "reason"]
    columns += ["relevance", *output.topics] if full else ["probabilities"]
    columns += ["second_opinion"] if output.second_opinion else []
    return [*columns, *(["duplicate_of"] if output.dedupe else [])]


def header(output: Output) -> bytes:
    """Return the row of column names."""
    return _rows([[*columns(output), *kept_names(output)]], output)


def encode(records: Iterable[dict[str, Any]], output: Output) -> bytes:
    """Return the rows of records."""
    rows = []
    for record in records:
        last = [record["duplicate_of"] or ""] if output.dedupe else []
        last += [kept_text(value) for value in kept_values(record, output)]
        found = _record_rows(record, output)
        if output.second_opinion:
            found = [[*row, name] for row, name in zip(found, _readers(record), strict=True)]
        rows += [[*row, *last] for row in found]
    return _rows(rows, output)


def _readers(record: dict[str, Any]) -> list[str]:
    """Return for each row the second model where it decided, and nothing where it did not."""
    again = record["second_opinion"]
    model, read = again["model"], {*again["sentences"]}
    if record.get("sentences"):
        return [model if s["index"] in read else "" for s in record["sentences"]]
    return [model if read else ""]


def _record_rows(record: dict[str, Any], output: Output) -> list[list[Any]]:
    """Return a row for each sentence, or one for the record where there is none."""
    first = [record["id"], record["model"]]
    full = output.detail == "probabilities"
    if record.get("sentences"):
        return [[*first, *_sentence_cells(s, full=full)] for s in record["sentences"]]
    names = ";".join(topic["topic"] for topic in record["topics"])
    values = ";".join(f"{topic['probability']:.6f}" for topic in record["topics"])
    places = [] if output.detail == "article" else [""] * (4 if full else 3)
    numbers = [""] * (1 + len(output.topics)) if full else [values]
    return [[*first, *places, names, record["reason"] or "", *numbers]]


def _sentence_cells(sentence: dict[str, Any], *, full: bool) -> list[Any]:
    found = [f"{value:.6f}" for value in sentence["probabilities"].values()]
    place = [sentence["index"], sentence["start"], sentence["end"]]
    tags = [";".join(sentence["topics"]), sentence["reason"] or ""]
    if full:
        return [*place, sentence["text"], *tags, f"{sentence['relevance']:.6f}", *found]
    return [*place, *tags, ";".join(found)]


def kept_names(output: Output) -> list[str]:
    """Return the names of the columns of ``kept_values``."""
    return [OTHERS if name == ALL else name for name in output.keep]


def kept_values(record: dict[str, Any], output: Output) -> list[Any]:
    """Return the values of the fields that are carried through; for ``ALL``, those of no name."""
    named = {*FIELDS, *output.keep}
    return [
        {n: v for n, v in record.items() if n not in named} if name == ALL else record.get(name)
        for name in output.keep
    ]


def kept_text(value: Any) -> str:
    """Return a kept value as text: strings as they are, others as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode("utf-8")


def defused(cell: Any) -> Any:
    """Return a cell as a spreadsheet shows it and does not run it, by a leading apostrophe."""
    if isinstance(cell, str) and _RUNS.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _rows(rows: Iterable[Sequence[Any]], output: Output) -> bytes:
    text = io.StringIO(newline="")
    if not output.raw_cells:
        rows = ([defused(cell) for cell in row] for row in rows)
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8")
