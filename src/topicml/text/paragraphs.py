"""Lines of a text to its paragraphs: which line breaks are only wraps.

A line break is a wrap where a sentence plainly goes on behind it. Where that is so often
enough, the text was wrapped at a width (mail, copies from PDF), single- or double-spaced,
and then a line that is as wide as the others goes on too. Poems, lists, headlines and tables
have no such lines, or end them elsewhere.
"""

from __future__ import annotations

import re

from topicml.text.normalise import LINE_BREAKS

Span = tuple[int, int]

_LINE = re.compile(r"\S(?:.*\S)?")
_ENDS = frozenset(".!?:;\"'”’)]")  # of sentences, quotations and introductions
_SHORTEST_GOING_ON = 20  # characters; shorter lines are rather a list
_WRAPPED_SHARE = 0.2  # of the lines must plainly go on in wrapped text
_WIDTHS = range(40, 121)
_FULL = 0.85  # of the width; proportional type does not fill its lines to the same number
_NUMBER = r"(?:\d{1,3}|[A-Za-z]|[ivx]+)"
_MARKER = rf"[-–—•▪◦*]|[(\[]{_NUMBER}[)\]]|{_NUMBER}(?:\.\)?|\))"
_STARTS_ITEM = re.compile(rf"(?:{_MARKER})\s")
_LONE_MARKER = re.compile(rf"{_MARKER}|[>\s]+")
_LONGEST_MARKER = 6
_UNFINISHED = re.compile(r"\b(?:the|an?|of|and|its|their)$")
_QUOTE_MARKS = re.compile(r"(?:>\s*)+")


def paragraph_spans(text: str) -> list[Span]:
    """Return where paragraphs start and end in a text, in order, without space around them.

    A line that holds only a list number or a bullet goes with the paragraph that follows.
    """
    text = text.replace("\r\n", " \n")
    for line_break in LINE_BREAKS[1:]:
        text = text.replace(line_break, "\n")
    lines = [match.span() for match in _LINE.finditer(text)]
    spans = lines[:1]
    for wrap, line in zip(_wraps(text, lines), lines[1:], strict=True):
        if wrap:
            spans[-1] = spans[-1][0], line[1]
        else:
            spans.append(line)
    return spans


def _wraps(text: str, lines: list[Span]) -> list[bool]:
    """Whether each line but the first goes on from the one before."""
    starts = [start for start, _ in lines[1:]]  # of the following line's own text
    if ">" in text:
        starts = [_behind_quote_marks(text, *line) for line in lines[1:]]
    gaps = [(first, end, start) for (first, end), start in zip(lines, starts, strict=False)]
    wraps = [
        text[start].islower()
        and text[end - 1] not in _ENDS
        and (end - first >= _SHORTEST_GOING_ON or text[end - 1] == "-")
        and not _STARTS_ITEM.match(text, start)
        for first, end, start in gaps
    ]
    width, spacing = _layout(text, gaps, wraps)
    for index, (first, end, start) in enumerate(gaps):
        if wraps[index]:
            continue
        if end - first <= _LONGEST_MARKER:
            wraps[index] = bool(_LONE_MARKER.fullmatch(text, first, end))
        elif text[end - 1] not in _ENDS and _UNFINISHED.search(text, end - 6, end):
            wraps[index] = end - first >= _SHORTEST_GOING_ON
        elif width and text.count("\n", end, start) <= spacing:
            wraps[index] = _is_full(text, (first, end), (start, lines[index + 1][1]), width)
    return wraps


def _behind_quote_marks(text: str, start: int, end: int) -> int:
    """Return where a line's own text starts, which in a reply is behind ``>``."""
    marks = _QUOTE_MARKS.match(text, start, end)
    return marks.end() if marks and marks.end() < end else start


def _layout(text: str, gaps: list[tuple[int, int, int]], wraps: list[bool]) -> tuple[int, int]:
    """Return the width of wrapped text, 0 for any other, and the line breaks between its lines."""
    if sum(wraps) <= _WRAPPED_SHARE * len(wraps):
        return 0, 0
    width = sorted(end - first for first, end, _ in gaps)[len(gaps) * 9 // 10]
    if width not in _WIDTHS:
        return 0, 0
    spacings = [
        text.count("\n", end, start)
        for wrap, (_, end, start) in zip(wraps, gaps, strict=True)
        if wrap
    ]
    return width, sorted(spacings)[len(spacings) // 2]


def _is_full(text: str, line: Span, following: Span, width: int) -> bool:
    """Whether a line of wrapped text ends where it does for want of room."""
    first, end = line
    word = text[slice(*following)].split(maxsplit=1)[0]
    return (
        end - first + 1 + len(word) > _FULL * width
        and text[end - 1] != ":"
        and not _STARTS_ITEM.match(text, following[0])
        and text[first:end].isupper() == text[slice(*following)].isupper()
    )
