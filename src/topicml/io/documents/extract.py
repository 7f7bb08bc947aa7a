"""What is found in a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from topicml.errors import RecordError
from topicml.io.records import LARGEST_RECORD, TOO_LARGE

DOCUMENT_FIELDS = ("title", "date", "source", "language")
"""What is found of a document besides its text."""

_DATE = re.compile(r"(\d{4})-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])")
_LEFT_OUT = re.compile("[\0-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Extract(NamedTuple):
    """What is read of a document.

    Attributes:
        text: Its paragraphs, a blank line between.
        fields: What it says of itself, by ``DOCUMENT_FIELDS``, without what it does not say.
    """

    text: str
    fields: dict[str, str]


def make_extract(paragraphs: Iterable[str], fields: dict[str, str | None]) -> Extract:
    """Return paragraphs and fields with white space and control characters put right.

    Raises:
        RecordError: There is no text, or too much.
    """
    kept = []
    size = 0
    for paragraph in paragraphs:
        if line := _plain(paragraph):
            kept.append(line)
            size += len(line) + 2
            if size > LARGEST_RECORD:
                raise RecordError(*TOO_LARGE)
    if not kept:
        raise RecordError("no_main_text", "there is no text in the document")
    said = {name: _one_line(value or "") for name, value in fields.items()}
    return Extract("\n\n".join(kept), {name: value for name, value in said.items() if value})


def _plain(text: str) -> str:
    """Return a text with its line breaks, but without white space that says nothing."""
    lines = (_one_line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _one_line(text: str) -> str:
    return " ".join(_LEFT_OUT.sub("", text).split())


def plain_date(said: str | None) -> str | None:
    """Return the day of a date as ``YYYY-MM-DD``; None where there is none."""
    found = _DATE.search(said or "")
    return "-".join(found.groups()) if found else None
