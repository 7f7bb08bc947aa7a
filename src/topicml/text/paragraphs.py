"""Lines of a text to its paragraphs: which line breaks are only wraps.

A line break is a wrap where a sentence plainly goes on behind it. Where that is so often
enough, the text was wrapped at a width (mail, copies from PDF), single- or double-spaced,
and then a line that is as wide as the others goes on too. Poems, lists, headlines and tables
have no such lines, or end them elsewhere.
"""

from __future__ import annotations

import re
from itertools import compress, count, islice

Span = tuple[int, int]
LIST_NUMBER = r"(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivx]+)"
"""What numbers the items of a list, without its full stop or brackets."""

_ENDS = frozenset(".!?:;\"'”’)]")  # of sentences, quotations and introductions
_SHORTEST_GOING_ON = 20  # characters; shorter lines are rather a list
_WRAPPED_SHARE = 0.2  # of the lines must plainly go on in wrapped text
_WIDTHS = range(40, 121)
_FULL = 0.85  # of the width; proportional type does not fill its lines to the same number
_MARKER = rf"[-–—•▪◦*]|[(\[]{LIST_NUMBER}[)\]]|{LIST_NUMBER}(?:\.\)?|\))"
_STARTS_ITEM = re.compile(rf"(?:{_MARKER})\s")
_LONE_MARKER = re.compile(rf"{_MARKER}|[>\s]+")
_LONGEST_MARKER = 6
_UNFINISHED = (" the", " a", " an", " of", " and", " its", " their")
_SAMPLE = 50  # line breaks whose spacing is looked at
_QUOTE_MARKS = re.compile(r"(?:>\s*)+")


def paragraph_spans(text: str) -> list[Span]:
    """Return where paragraphs start and end in a text, in order, without space around them.

    A line that holds only a list number or a bullet goes with the paragraph that follows.
    """
    lines = _lines(text)
    spans = lines[:1]
    for wrap, line in zip(_wraps(text, lines), lines[1:], strict=True):
        if wrap:
            spans[-1] = spans[-1][0], line[1]
        else:
            spans.append(line)
    return spans


def _lines(text: str) -> list[Span]:
    """Return where lines are that are not blank, without space around them."""
    spans = []
    start = 0
    for line in text.splitlines(keepends=True):
        body = line.strip()
        if body:
            first = start if line[0] == body[0] else start + line.index(body[0])
            spans.append((first, first + len(body)))
        start += len(line)
    return spans


def _wraps(text: str, lines: list[Span]) -> list[bool]:
    """Whether each line but the first goes on from the one before."""
    starts = [start for start, _ in lines[1:]]  # of the following line's own text
    if ">" in text:
        starts = [_behind_quote_marks(text, *line) for line in lines[1:]]
    wraps = [
        text[end - 1] not in _ENDS
        and (end - first >= _SHORTEST_GOING_ON or text[end - 1] == "-")
        and (
            not _STARTS_ITEM.match(text, start)
            if text[start].islower()
            else text.endswith(_UNFINISHED, first, end)
        )
        for (first, end), start in zip(lines, starts, strict=False)
    ]
    width, spacing = _layout(text, lines, wraps)
    if width:
        for index, before in enumerate(lines[:-1]):
            after = starts[index], lines[index + 1][1]
            if not wraps[index] and text.count("\n", before[1], after[0]) <= spacing:
                wraps[index] = _is_full(text, before, after, width)
    for index, (first, end) in enumerate(lines[:-1]):
        if end - first <= _LONGEST_MARKER and not wraps[index]:
            wraps[index] = bool(_LONE_MARKER.fullmatch(text, first, end))
    return wraps


def _behind_quote_marks(text: str, start: int, end: int) -> int:
    """Return where a line's own text starts, which in a reply is behind ``>``."""
    marks = _QUOTE_MARKS.match(text, start, end)
    return marks.end() if marks and marks.end() < end else start


def _layout(text: str, lines: list[Span], wraps: list[bool]) -> tuple[int, int]:
    """Return the width of wrapped text, 0 for any other, and the line breaks between its lines."""
    if sum(wraps) <= _WRAPPED_SHARE * len(wraps):
        return 0, 0
    width = sorted(end - start for start, end in lines)[len(lines) * 9 // 10]
    if width not in _WIDTHS:
        return 0, 0
    breaks = sorted(
        text.count("\n", lines[index][1], lines[index + 1][0])
        for index in islice(compress(count(), wraps), _SAMPLE)
    )
    return width, breaks[len(breaks) // 2]


def _is_full(text: str, line: Span, following: Span, width: int) -> bool:
    """Whether a line of wrapped text ends where it does for want of room, or in mid-sentence."""
    first, last = line[0], line[1] - 1
    start, end = following
    if text[start].islower() and text[last] not in _ENDS:
        return not _STARTS_ITEM.match(text, start)
    word_end = text.find(" ", start, end)
    needed = last - first + 2 + (word_end if word_end > 0 else end) - start
    return (
        needed > _FULL * width
        and text[last] != ":"
        and not _STARTS_ITEM.match(text, start)
        and text[first : last + 1].isupper() == text[start:end].isupper()
    )
