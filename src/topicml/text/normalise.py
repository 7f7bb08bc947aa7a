"""Characters and line breaks that are not part of what a reader reads."""

from __future__ import annotations

import re

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What ``str.splitlines`` splits at."""

IGNORABLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width space, non-joiner and joiner, word joiner, byte-order mark."""

_LOWER = "a-zß-öø-ÿ"
_BREAK = rf"[^\S{LINE_BREAKS}]*[{LINE_BREAKS}][\s>]*"  # with indentation, and ">" of quoted mail

HYPHENATED = re.compile(rf"[-‐\u00ad](?<=[{_LOWER}].){_BREAK}(?=[{_LOWER}])")
"""A hyphen inside a word, at a line end, with the line break."""

BREAK_BEHIND_HYPHEN = re.compile(rf"-[^\S{LINE_BREAKS}]*[{LINE_BREAKS}]")
"""What a text with a hyphen at a line end has; looked for far faster than ``HYPHENATED``."""

_HYPHEN_AND_BREAK = re.compile(rf"(?<=\S)([-‐]){_BREAK}(?=\w)")
_IGNORABLE = re.compile(f"[{IGNORABLE}]")
_ODD = re.compile(f"[{LINE_BREAKS}{IGNORABLE}]")


def reading_text(sentence: str) -> str:
    """Return a sentence as it is read, which is the form that is scored.

    A word hyphenated at a line end is joined, without its hyphen between two lower-case
    letters and with it elsewhere (U.S.-Japan); other line breaks become a space;
    ``IGNORABLE`` characters are left out. A sentence with none of these is returned as it is.
    """
    if not _ODD.search(sentence):
        return sentence
    sentence = _IGNORABLE.sub("", HYPHENATED.sub("", sentence))
    first, *others = _HYPHEN_AND_BREAK.sub(r"\1", sentence).splitlines() or [""]
    lines = [first.strip(), *(line.strip().lstrip("> ") for line in others)]
    return " ".join(line for line in lines if line)


_MARKS = (*IGNORABLE, "‐")


def printable(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    line = " ".join(reading_text(text).split())
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


def as_scored(sentence: str) -> str:
    """Return a sentence as it is read, line breaks aside, which are white space to a scorer."""
    return sentence if is_read_as_written(sentence) else reading_text(sentence)


def is_read_as_written(text: str) -> bool:
    """Whether no sentence of a text can differ from how it is read, but for white space.

    A fast look at the whole text, for a caller that has many.
    """
    if ">" in text or BREAK_BEHIND_HYPHEN.search(text):  # the mark of quoted mail
        return False
    return text.isascii() or not any(mark in text for mark in _MARKS)
