"""Characters and line breaks that are not part of what a reader reads."""

from __future__ import annotations

import re

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What ``str.splitlines`` splits at."""

IGNORABLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width space and (non-)joiner, word joiner, byte-order mark: not read."""

_IGNORABLE = re.compile(f"[{IGNORABLE}]")
_ODD = re.compile(f"[{LINE_BREAKS}{IGNORABLE}]")
_BREAK = rf"[^\S{LINE_BREAKS}]*[{LINE_BREAKS}][\s>]*"  # with indentation, and marks of quoted mail
_LOWER = "a-zß-öø-ÿ"
HYPHENATED = re.compile(rf"[-‐\u00ad](?<=[{_LOWER}].){_BREAK}(?=[{_LOWER}])")
"""A line break, and its hyphen, inside a word."""

_HYPHEN_AND_BREAK = re.compile(rf"(?<=\S)([-‐]){_BREAK}(?=\w)")
_LINE_BREAK = re.compile(_BREAK)


def reading_text(sentence: str) -> str:
    """Return a sentence as it is read, which is the form that is scored.

    A word hyphenated at a line end is joined, without its hyphen between two lower-case
    letters and with it elsewhere (U.S.-Japan); other line breaks become a space;
    ``IGNORABLE`` characters are left out. A sentence with none of these is returned as it is.
    """
    if not _ODD.search(sentence):
        return sentence
    joined = _IGNORABLE.sub("", HYPHENATED.sub("", sentence))
    return _LINE_BREAK.sub(" ", _HYPHEN_AND_BREAK.sub(r"\1", joined))


_BREAK_BEHIND_HYPHEN = re.compile(rf"-[^\S{LINE_BREAKS}]*[{LINE_BREAKS}]")
_MARKS = (*IGNORABLE, "‐")


def is_read_as_written(text: str) -> bool:
    """Whether no sentence of a text can differ from how it is read, but for white space.

    A fast look at the whole text, for a caller that has many.
    """
    if ">" in text or _BREAK_BEHIND_HYPHEN.search(text):  # the mark of quoted mail
        return False
    return text.isascii() or not any(mark in text for mark in _MARKS)
