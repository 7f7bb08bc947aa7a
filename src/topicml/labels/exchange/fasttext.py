"""fastText: a line of text with ``__label__`` words before it, and nothing else.

A line without such words is a text without labels. Line breaks and runs of white space become
one space each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from topicml.errors import LabelError
from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import answer
from topicml.labels.exchange.source import Source
from topicml.labels.records import LabelRecord

MARK = "__label__"


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotation of each line.

    Raises:
        LabelError: A field of labels was asked for: it has none.
    """
    if columns.label:
        raise source.wrong(None, f"no labels in {columns.label!r}", "fastText has no fields.")
    for number, line in enumerate(source.text.split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        labels = [word.removeprefix(MARK) for word in words if word.startswith(MARK)]
        text = " ".join(word for word in words if not word.startswith(MARK))
        source.text_of(number, {"text": text}, "text")
        yield ForeignAnnotation(number, text, tuple(labels), is_said=False)


def write(records: Sequence[LabelRecord], _topics: Sequence[str]) -> str:
    """Return the lines of records that have a label.

    Raises:
        LabelError: A text has a word that would be read as a label.
    """
    return "".join(_line(record) for record in records if answer(record) is not None)


def _line(record: LabelRecord) -> str:
    words = record.text.split()
    if not words:
        raise LabelError(
            f"the text of {record.id!r} is blank", hint="fastText has no line for it: leave it out."
        )
    if any(word.startswith(MARK) for word in words):
        raise LabelError(
            f"the text of {record.id!r} has a word that begins with {MARK}",
            hint="fastText would read it as a label: leave it out, or take another format.",
        )
    return " ".join([*(MARK + topic for topic in record.topics), *words]) + "\n"
