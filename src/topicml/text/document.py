"""A text to be tagged, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be tagged.

    Attributes:
        id: Its own id, or ``source:number``.
        text: The text; the title, where there is one, is its first paragraph.
        source: File that it is from.
        number: Its number in that file, from 1.
        kept: Values of the fields that are carried through, by name.
        encoding: What its bytes were decoded by.
    """

    id: str
    text: str
    source: str = ""
    number: int = 1
    kept: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"
