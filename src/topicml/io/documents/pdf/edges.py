"""Running heads, running feet and page numbers, which are no text."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from topicml.io.documents.pdf.lines import Line, body_size, by_row

_MOST_ROWS = 3  # at each edge
_EDGE = 0.14  # of the height of a page
_DRIFT = 6.0  # points between pages
_OTHER_SIZE = 0.06  # of the text's size
_SMALLER = 0.95  # of the text's size
_SET_OFF = 1.25  # of the usual distance between lines
_ROMAN = r"[ivxl]{1,6}"
_PAGE_NUMBER = re.compile(
    rf"(?:page|p\.|seite)?\s*[-–—|\[(]*\s*(?:\d{{1,4}}|{_ROMAN})\s*[-–—|\])]*"
    r"(?:\s*(?:of|/|von)\s*\d{1,4})?",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


class PageLines(NamedTuple):
    """The pieces of lines of a page, and where it ends below and above."""

    pieces: list[Line]
    bottom: float
    top: float


class _Row(NamedTuple):
    pieces: list[Line]
    text: str
    page: int
    y: float
    is_set_off: bool
    is_alone: bool  # and small

    @property
    def key(self) -> str:
        return _DIGITS.sub("#", self.text.casefold())


def without_edges(pages: list[PageLines]) -> list[list[Line]]:
    """Return the pieces of each page without its running heads and feet.

    A row at the edge of a page is one where it stands at the same height on another page, its
    digits aside; where it has the number of its page, as its neighbours have theirs; or where it
    is no more than such a number.
    """
    body = body_size(piece for page in pages for piece in page.pieces)
    edges = [[*_edge_rows(page, number, body)] for number, page in enumerate(pages)]
    repeated = _repeated([row for rows in edges for side in rows for row in side])
    counting = _counting([row for rows in edges for side in rows for row in side])
    left_out: set[int] = set()
    numbered: set[int] = set()
    for sides in edges:
        for side in sides:
            for row in side:
                is_number = bool(_PAGE_NUMBER.fullmatch(row.text)) and row.is_set_off
                if not (is_number or id(row) in repeated or id(row) in counting):
                    break
                left_out.update(map(id, row.pieces))
                numbered.add(row.page)
    for sides in edges:  # where there is a page number, a head that is there once is one, too
        for row in (side[0] for side in sides if side):
            if row.page in numbered and row.is_alone and row.text[-1:] not in ".!?":
                left_out.update(map(id, row.pieces))
    kept = [[piece for piece in page.pieces if id(piece) not in left_out] for page in pages]
    return kept if any(kept) else [page.pieces for page in pages]


def _edge_rows(page: PageLines, number: int, body: float) -> Iterator[list[_Row]]:
    """Yield the rows at the top of a page, and those at its bottom, from the edge on."""
    rows = by_row(page.pieces)
    steps = [above[0].y - below[0].y for above, below in pairwise(rows)]
    usual = statistics.median_low(steps) if steps else 0.0
    height = page.top - page.bottom
    for ordered in (rows, rows[::-1]):
        side = []
        for index, row in enumerate(ordered[:_MOST_ROWS]):
            y = row[0].y
            if min(page.top - y, y - page.bottom) > _EDGE * height:
                break
            inner = ordered[index + 1][0] if index + 1 < len(ordered) else None
            is_far = inner is None or abs(inner.y - y) > _SET_OFF * min(usual, 2 * body)
            is_other = inner is not None and abs(row[0].size - inner.size) > _OTHER_SIZE * body
            text = " ".join(piece.text for piece in row)
            is_note = row[0].words[0].script > 0
            is_alone = is_far and row[0].size < _SMALLER * body and not text[:1].isdigit()
            side.append(_Row(row, text, number, y, (is_far or is_other) and not is_note, is_alone))
        _set_off_together(side)
        yield side


def _set_off_together(side: list[_Row]) -> None:
    """A row is set off, too, where the one behind it is, and stands between it and the text."""
    for index in range(len(side) - 2, -1, -1):
        if side[index + 1].is_set_off:
            side[index] = side[index]._replace(is_set_off=True)


def _repeated(rows: list[_Row]) -> set[int]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        if row.is_set_off:
            groups.setdefault(row.key, []).append(row)
        if row.is_set_off and row.is_alone:  # another text in the same place, as on facing pages
            place = f"{row.pieces[0].size:.1f} at {row.y:.0f}"
            groups.setdefault(place, []).append(row)
    return {
        id(row)
        for same in groups.values()
        for row in same
        if any(other.page != row.page and abs(other.y - row.y) <= _DRIFT for other in same)
    }


def _counting(rows: list[_Row]) -> set[int]:
    """Return rows whose first or last number counts pages as those of other pages do."""
    offsets: Counter[tuple[int, int]] = Counter()
    found: list[tuple[_Row, set[tuple[int, int]]]] = []
    for row in rows:
        numbers = [text for text in _DIGITS.findall(row.text) if len(text) <= 4]
        is_edged = row.text[:1].isdigit() or row.text[-1:].isdigit()
        if row.is_set_off and numbers and is_edged:
            place = round(row.y / (2 * _DRIFT))
            keys = {(int(text) - row.page, place) for text in (numbers[0], numbers[-1])}
            offsets.update(keys)
            found.append((row, keys))
    pages = len({row.page for row in rows})
    enough = max(3, pages * 0.4)
    return {id(row) for row, keys in found if any(offsets[key] >= enough for key in keys)}
