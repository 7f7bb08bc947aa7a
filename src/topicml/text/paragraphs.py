"""Lines of a text to its paragraphs: which line breaks are only wraps.

A line break is a wrap where a sentence plainly goes on behind it. Where that is so often
enough, the text was wrapped at a width (mail, copies from PDF), single- or double-spaced,
and then a line that is as wide as the others goes on too. Poems, lists, headlines and tables
have no such lines, or end them elsewhere.
"""

from __future__ import annotations

import re
from itertools import compress, pairwise
from operator import add, not_

Span = tuple[int, int]
LIST_NUMBER = r"(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivx]+|[IVX]+)"
"""What numbers the items of a list, without its full stop or brackets."""

ENDS = frozenset(".!?:;\"'”’)]")  # of sentences, quotations and introductions
UNFINISHED = (" the", " a", " an", " of", " and", " its", " their")
SHORTEST_GOING_ON = 20  # characters; shorter lines are rather a list
WRAPPED_SHARE = 0.2  # of the lines must plainly go on in wrapped text
WIDTHS = range(28, 141)
NARROW, FEWEST_NARROW = 40, 8  # columns as narrow as these are known by so many lines
FULL = 0.85  # of the width; proportional type does not fill its lines to the same number
BULLETS = "-–—•▪◦*"
_MARKER = rf"[{BULLETS}]|[(\[]{LIST_NUMBER}[)\]]|{LIST_NUMBER}(?:\.\)?|\))"
_STARTS_ITEM = re.compile(rf"(?:{_MARKER})\s")
_LONE_MARKER = re.compile(rf"{_MARKER}|[>\s]+")
LONGEST_MARKER = 6
_BROKEN_WORD = re.compile(r"[\w.][-‐]$")


def paragraph_spans(text: str) -> list[Span]:
    """Return where paragraphs start and end in a text, in order, without space around them.

    A line that holds only a list number or a bullet goes with the paragraph that follows.
    """
    starts, rows, lines = _lines(text)
    read = [line.lstrip("> ") or line for line in lines] if ">" in text else lines
    joined = _plain_wraps(lines, read)
    if sum(joined) > WRAPPED_SHARE * len(joined):
        _add_full_lines(joined, lines, read, [b - a for a, b in pairwise(rows)])
    for index, line in enumerate(lines[:-1]):
        if len(line) <= LONGEST_MARKER and _LONE_MARKER.fullmatch(line):
            joined[index] = True
    ends = map(add, starts, map(len, lines))
    opens = compress(starts, map(not_, [False, *joined]))
    closes = compress(ends, map(not_, [*joined, False]))
    return list(zip(opens, closes, strict=True))


def _lines(text: str) -> tuple[list[int], list[int], list[str]]:
    """Return the lines that are not blank, stripped: their offsets, numbers and texts."""
    starts, rows, lines = [], [], []
    offset = 0
    for row, line in enumerate(text.splitlines(keepends=True)):
        if line != "\n" and (body := line.strip()):  # most blank lines are no more than that
            starts.append(offset if line[0] == body[0] else offset + line.index(body[0]))
            rows.append(row)
            lines.append(body)
        offset += len(line)
    return starts, rows, lines


def _plain_wraps(lines: list[str], read: list[str]) -> list[bool]:
    """Whether each line but the last plainly goes on: in a word, or from an article.

    ``read`` are the lines without the marks of quoted mail.
    """
    return [
        line[-1] not in ENDS
        and (
            (line[-1] in "-‐" and bool(_BROKEN_WORD.search(line)) and following[0].isalnum())
            or (
                len(line) >= SHORTEST_GOING_ON
                and (
                    not _STARTS_ITEM.match(following)
                    if following[0].islower()
                    else line.endswith(UNFINISHED)
                )
            )
        )
        for line, following in zip(lines, read[1:], strict=False)
    ]


def _add_full_lines(
    wraps: list[bool], lines: list[str], read: list[str], spacings: list[int]
) -> None:
    """Add the line breaks of text wrapped at a width where only there was no more room."""
    width = sorted(map(len, lines))[len(lines) * 9 // 10]
    if width not in WIDTHS or (width < NARROW and len(lines) < FEWEST_NARROW):
        return
    usual = sorted(spacing for spacing, wrap in zip(spacings, wraps, strict=True) if wrap)
    spacing = usual[len(usual) // 2]
    for index, following in enumerate(read[1:]):
        if not wraps[index] and spacings[index] <= spacing:
            wraps[index] = _is_full(lines[index], following, width)


def _is_full(line: str, following: str, width: int) -> bool:
    """Whether a line of wrapped text ends in mid-sentence, or for want of room."""
    in_mid_sentence = following[0].islower() and line[-1] not in ENDS
    no_room = (
        len(line) + 1 + len(following.partition(" ")[0]) > FULL * width
        and line[-1] != ":"
        and line.isupper() == following.isupper()
    )
    return (in_mid_sentence or no_room) and not _STARTS_ITEM.match(following)
