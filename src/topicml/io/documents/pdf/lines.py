"""Words to the lines that they stand in, and pieces of lines to whole ones."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from topicml.io.documents.pdf.words import Word

_SMALL = 0.85  # of the size beside it, for what stands high or low
_SMALLEST = 0.4
_LONGEST_MARK = 3
_HIGHEST = 0.7  # em
_SAME_LINE = 0.25  # em between base lines
_PIECE_GAP = 0.8  # em, beyond which a piece ends
_PIECE_JUMP = 0.3  # the same, between words that do not follow each other in the page's stream
_CELL_GAP = 3.0  # em
_NARROW = 22.0  # em
_LEAST_SPACE, _MOST_SPACE = 0.1, 2.5  # em
_CAP = 1.8  # of the size of the text that a drop cap starts
_NOTE = re.compile(r"[\d*†‡§¶,\u2009]+")
_MARKS = "¹²³⁴⁵⁶⁷⁸⁹⁰"
_MARKED = re.compile(rf"(?<=[a-z]{{3}})[{_MARKS}]+|(?<=[.,;:?!”’\"')\]])[{_MARKS}]+")
_UNITS = {"m", "km", "cm", "mm", "ft", "mi", "nm", "in", "yd"}


@dataclass(slots=True)
class Line:
    """A line, or a piece of one.

    Attributes:
        words: From left to right.
        page: Number of its page.
        left: Where the column starts that it stands in.
        right: Where that ends.
        is_cell: Whether it is a cell of a table, and no part of a paragraph.
    """

    words: list[Word]
    page: int
    left: float = 0.0
    right: float = 0.0
    is_cell: bool = False
    x0: float = field(init=False)
    x1: float = field(init=False)
    y: float = field(init=False)
    size: float = field(init=False)
    bold: bool = field(init=False)

    def __post_init__(self) -> None:
        self.x0 = self.words[0].x0
        self.x1 = max(word.x1 for word in self.words)
        self.y = statistics.median_low(word.y for word in self.words)
        sizes: dict[float, int] = {}
        for word in self.words:
            size = round(word.size, 1)
            sizes[size] = sizes.get(size, 0) + len(word.text)
        self.size = max(sizes, key=lambda size: sizes[size])
        self.bold = all(word.bold for word in self.words)

    @property
    def text(self) -> str:
        """Its words, without the numbers that lead to notes."""
        parts: list[str] = []
        for index, word in enumerate(self.words):
            if not _leads_to_note(self.words, index):
                parts.append(word.text if word.glued or not parts else f" {word.text}")
        return _MARKED.sub("", "".join(parts).strip())

    @property
    def top(self) -> float:
        """Where its type ends above."""
        return self.y + 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where its type ends below."""
        return self.y - 0.25 * self.size


def _leads_to_note(words: list[Word], index: int) -> bool:
    """Whether a word is the raised number of a note, and no power of a number or a unit."""
    word = words[index]
    if word.script <= 0 or not _NOTE.fullmatch(word.text):
        return False
    before = words[index - 1].text if index else ""
    return not (word.glued and (before[-1:].isdigit() or before in _UNITS))


def make_pieces(words: list[Word], page: int) -> list[Line]:
    """Return the pieces of lines, from top to bottom, that stand apart from what is beside them."""
    settled = _without_copies(_settle_scripts(words))
    caps = _drop_caps(settled)
    pieces: list[Line] = []
    for row in _rows(word for word in settled if word not in caps):
        ordered = sorted(row, key=lambda word: (word.x0, word.order))
        usual = _smallest_gap(ordered)
        start = 0
        for index, (before, word) in enumerate(pairwise(ordered), start=1):
            if _is_apart(before, word, usual):
                pieces.append(Line(ordered[start:index], page))
                start = index
        pieces.append(Line(ordered[start:], page))
    for cap in caps:
        _place_cap(cap, pieces, page)
    return pieces


def _settle_scripts(words: list[Word]) -> list[Word]:
    """Put small words that stand high or low on the base line of the word beside them."""
    settled = list(words)
    for index, word in enumerate(words):
        for beside in (settled[index - 1] if index else None, *words[index + 1 : index + 2]):
            if beside and _SMALLEST * beside.size < word.size < _SMALL * beside.size:
                rise = word.y - beside.y
                gap = max(word.x0 - beside.x1, beside.x0 - word.x1)
                near = gap < beside.size / 2 and abs(rise) < _HIGHEST * beside.size
                if near and abs(rise) > 0.1 * beside.size:
                    settled[index] = word._replace(y=beside.y, script=rise / beside.size)
                    break
    return [_settle_mark(word, settled) for word in settled]


def _settle_mark(word: Word, words: list[Word]) -> Word:
    """Do so for the number of a note that was printed apart from the text."""
    if word.script or len(word.text) > _LONGEST_MARK or not _NOTE.fullmatch(word.text):
        return word
    for beside in words:
        rise = word.y - beside.y
        near = max(word.x0 - beside.x1, beside.x0 - word.x1) < beside.size / 4
        is_small = _SMALLEST * beside.size < word.size < _SMALL * beside.size
        if near and is_small and 0.1 < rise / beside.size < _HIGHEST:
            return word._replace(y=beside.y, script=rise / beside.size)
    return word


def _without_copies(words: list[Word]) -> list[Word]:
    """Leave out words printed again over themselves, as bold type or a shadow."""
    seen: dict[tuple[str, int], list[Word]] = {}
    kept = []
    for word in words:
        near = seen.setdefault((word.text, round(word.y / 4)), [])
        reach = 0.15 * word.size
        if any(abs(o.x0 - word.x0) < reach and abs(o.y - word.y) < reach for o in near[-20:]):
            continue
        near.append(word)
        kept.append(word)
    return kept


def _rows(words: Iterable[Word]) -> Iterator[list[Word]]:
    row: list[Word] = []
    for word in sorted(words, key=lambda word: -word.y):
        if row and row[-1].y - word.y > _SAME_LINE * min(word.size, row[-1].size):
            yield row
            row = []
        row.append(word)
    if row:
        yield row


def _smallest_gap(row: list[Word]) -> float:
    """Return the smallest gap between words of a row, in em; none is that of a row of cells."""
    gaps = [
        (word.x0 - before.x1) / max(before.size, word.size)
        for before, word in pairwise(row)
        if not word.glued
    ]
    smallest = min((gap for gap in gaps if gap > _LEAST_SPACE), default=0.0)
    return smallest if smallest < _MOST_SPACE else 0.0


def _is_apart(before: Word, word: Word, usual: float) -> bool:
    """Whether a piece ends between two words; the spaces of justified lines are all alike."""
    gap = (word.x0 - before.x1) / max(before.size, word.size)
    if word.order != before.order + 1:
        return gap > _PIECE_JUMP
    return gap > max(_PIECE_GAP, 2 * usual)


def _drop_caps(words: list[Word]) -> list[Word]:
    usual = statistics.median(word.size for word in words)
    large = [word for word in words if word.size >= _CAP * usual]
    return [
        word
        for word in large
        if _is_letter(word.text)
        and not any(o is not word and abs(o.y - word.y) < 0.3 * word.size for o in large)
    ]


def _place_cap(cap: Word, pieces: list[Line], page: int) -> None:
    """Put a drop cap before the first of the lines that it stands beside."""
    beside = [
        piece
        for piece in pieces
        if piece.size * _CAP <= cap.size
        and cap.y - 1.3 * piece.size < piece.y < cap.y + 0.9 * cap.size
        and -0.3 * piece.size < piece.x0 - cap.x1 < 2 * piece.size
    ]
    if not beside:
        pieces.append(Line([cap], page))
        return
    first = max(beside, key=lambda piece: piece.y)
    start = first.x0
    _start_with(first, cap)
    for piece in beside:
        if abs(piece.x0 - start) < 0.3 * piece.size:
            piece.x0 = cap.x0


def _is_letter(text: str) -> bool:
    letters = text.strip("“\"'‘")
    return len(letters) == 1 and letters.isalpha() and letters.isupper()


def _start_with(line: Line, cap: Word) -> None:
    """Put a drop cap before a line. It is a word of its own where the line starts with a capital.

    "A" and "I" are words of their own, too, where that is set off.
    """
    first = line.words[0]
    is_word = cap.text in {"A", "I"} and first.x0 - cap.x1 > 0.2 * first.size
    line.words[0] = first._replace(glued=not is_word)
    line.words.insert(0, cap._replace(y=first.y, size=first.size, bold=first.bold))


def join_pieces(pieces: Iterable[Line]) -> list[Line]:
    """Return whole lines of one column, from top to bottom."""
    rows = by_row(pieces)
    left = min(row[0].x0 for row in rows)
    right = max(piece.x1 for row in rows for piece in row)
    return measured([line for row in rows for line in _joined_in_row(row, left, right)])


def measured(lines: list[Line]) -> list[Line]:
    """Return lines with the margins that those of their size have together."""
    sides: dict[int, tuple[float, float]] = {}
    for line in lines:
        left, right = sides.get(round(line.size), (line.x0, line.x1))
        sides[round(line.size)] = min(left, line.x0), max(right, line.x1)
    for line in lines:
        line.left, line.right = sides[round(line.size)]
    return lines


def _joined_in_row(row: list[Line], left: float, right: float) -> list[Line]:
    """Join the pieces of a row that are not far apart; those that are, are cells.

    Between the words that fill a line of a narrow column, any space may stand.
    """
    em = row[0].size
    is_filled = row[0].x0 - left < 2 * em and right - row[-1].x1 < em / 2
    most = (right - left) / 2 if is_filled and right - left < _NARROW * em else _CELL_GAP * em
    lines = row[:1]
    for piece in row[1:]:
        last = lines[-1]
        if piece.x0 - last.x1 < most:
            joined = replace(last, words=[*last.words, *piece.words])
            joined.x0 = min(last.x0, joined.x0)
            lines[-1] = joined
        else:
            last.is_cell = piece.is_cell = True
            lines.append(piece)
    return lines


def by_row(pieces: Iterable[Line]) -> list[list[Line]]:
    """Return the pieces of a page by the base line that they share, from top to bottom."""
    rows: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.y):
        if rows and rows[-1][0].y - piece.y < _SAME_LINE * piece.size:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.x0) for row in rows]


def body_size(lines: Iterable[Line]) -> float:
    """Return the size that most characters have."""
    count: dict[float, int] = {}
    ordered = sorted(lines, key=lambda line: line.size)
    for size, same in groupby(ordered, key=lambda line: round(line.size * 2) / 2):
        count[size] = sum(len(word.text) for line in same for word in line.words)
    return max(count, key=lambda size: count[size], default=0.0)
