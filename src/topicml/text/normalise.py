"""Characters and line breaks that are not part of what a reader reads."""

from __future__ import annotations

import re
from collections.abc import Callable

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What ``str.splitlines`` splits at."""

IGNORABLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width space, non-joiner and joiner, word joiner, byte-order mark."""

JOINED = "a-zß-öø-ÿ"
_BREAK = rf"[^\S{LINE_BREAKS}]*[{LINE_BREAKS}][\s>]*"  # with indentation, and ">" of quoted mail

_HYPHENATED = [  # a pattern each, which begins with a character that is looked for fast
    re.compile(rf"{hyphen}(?<=[{JOINED}].){_BREAK}(?=[{JOINED}])") for hyphen in "-‐\u00ad"
]

BREAK_BEHIND_HYPHEN = re.compile(rf"-[^\S{LINE_BREAKS}]*[{LINE_BREAKS}]")
"""What a text with a hyphen at a line end has; looked for fast."""

_HYPHEN_AND_BREAK = re.compile(rf"(?<=\S)([-‐]){_BREAK}(?=\w)")
_IGNORABLE = re.compile(f"[{IGNORABLE}]")
_ODD = re.compile(f"[{LINE_BREAKS}{IGNORABLE}]")


def replace_hyphenated(new: str | Callable[[re.Match[str]], str], text: str) -> str:
    """Replace each hyphen inside a word that is at a line end, with the line break."""
    for pattern in _HYPHENATED:
        text = pattern.sub(new, text)
    return text


def reading_text(sentence: str) -> str:
    """Return a sentence as it is read, which is the form that is scored.

    A word hyphenated at a line end is joined, without its hyphen between two lower-case
    letters and with it elsewhere (U.S.-Japan); other line breaks become a space;
    ``IGNORABLE`` characters are left out. A sentence with none of these is returned as it is.
    """
    if not _ODD.search(sentence):
        return sentence
    sentence = _IGNORABLE.sub("", replace_hyphenated("", sentence))
    first, *others = _HYPHEN_AND_BREAK.sub(r"\1", sentence).splitlines() or [""]
    lines = [first.strip(), *(line.strip().lstrip("> ") for line in others)]
    return " ".join(line for line in lines if line)


_NOT_AS_WRITTEN = f">{IGNORABLE}‐"


def printable(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    return _without_controls(" ".join(reading_text(text).split()))


def printable_page(text: str) -> str:
    """Return a text line by line, without what a terminal would obey."""
    return "\n".join(map(_without_controls, text.split("\n")))


def _without_controls(line: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


def as_scored(sentence: str) -> str:
    """Return a sentence as it is read, line breaks aside, which are white space to a scorer."""
    return reading_text(sentence) if places_read_otherwise(sentence) else sentence


def places_read_otherwise(text: str) -> list[int]:
    """Return places that each sentence has which is not read as it is written, white space aside.

    A fast look at a whole text, for a caller that has many.
    """
    places = [match.start() for match in BREAK_BEHIND_HYPHEN.finditer(text)]
    marks = ">" if text.isascii() else _NOT_AS_WRITTEN  # ">" is the mark of quoted mail
    for mark in marks:
        if mark in text:
            places += [match.start() for match in re.finditer(mark, text)]
    return places
