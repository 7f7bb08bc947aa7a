"""The order in which the pieces of a page are read: columns, and what stands across them.

A gutter is white space between pieces that stand side by side. Where one goes all the way down,
what is left of it is read first; where lines stand across it, these divide the page into bands,
each of which is read for itself.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from topicml.io.documents.pdf.lines import Line, by_row, join_pieces

_GUTTER = 0.7  # em
_FEWEST_ROWS = 2  # that a gutter divides, beside each other
_NARROW = 3.0  # em: a column of bullets, or of numbers of lines
_SHORT = 4  # characters in such a column
_HEADLINE = 1.25  # of the text's size
_CELL_WORDS = 3.5  # on average, fewer than which make cells and no lines
_MOST_PIECES = 2000  # of a page that is laid out

Block = list[Line]


def reading_order(pieces: list[Line]) -> list[Block]:
    """Return the blocks of lines of a page, in the order in which they are read."""
    if not pieces:
        return []
    if len(pieces) > _MOST_PIECES:
        return [join_pieces(pieces)]
    return list(_ordered(pieces))


def _ordered(pieces: list[Line]) -> Iterator[Block]:
    em = statistics.median(piece.size for piece in pieces)
    pieces = sorted(pieces, key=lambda piece: -piece.y)
    parts = _parts(pieces, em)
    if len(parts) > 1:
        if below := _from_headline(pieces, em):
            yield from _ordered(pieces[: -len(below)])
            yield from _ordered(below)
        elif _is_table(parts):
            yield _cells(pieces)
        else:
            for part in parts:
                yield from _ordered(part)
        return
    bands = _bands(pieces, em)
    if len(bands) == 1:
        yield join_pieces(pieces)
        return
    for band in bands:
        yield from _ordered(band)


def _parts(pieces: list[Line], em: float) -> list[list[Line]]:
    """Divide pieces at the gutters that go all the way down."""
    parts: list[list[Line]] = []
    end = float("-inf")
    for piece in sorted(pieces, key=lambda piece: piece.x0):
        if parts and piece.x0 - end < _GUTTER * em:
            parts[-1].append(piece)
        else:
            parts.append([piece])
        end = max(end, piece.x1)
    joined = parts[:1]
    for part in parts[1:]:
        if _are_columns(joined[-1], part, em):
            joined.append(part)
        else:
            joined[-1] = joined[-1] + part
    return joined


def _from_headline(pieces: list[Line], em: float) -> list[Line]:
    """Return a headline with nothing beside it and what is below it, where text is above it."""
    for index, head in enumerate(pieces):
        is_large = index > _FEWEST_ROWS and head.size >= _HEADLINE * em
        if is_large and not any(p is not head and _overlap(p, head) for p in pieces):
            return pieces[index:]
    return []


def _are_columns(left: list[Line], right: list[Line], em: float) -> bool:
    if any(_is_narrow(part, em) for part in (left, right)):
        return False
    beside = sum(any(_overlap(a, b) for b in right) for a in left)
    return min(beside, sum(any(_overlap(a, b) for a in left) for b in right)) >= _FEWEST_ROWS


def _is_narrow(part: list[Line], em: float) -> bool:
    width = max(piece.x1 for piece in part) - min(piece.x0 for piece in part)
    return width < _NARROW * em and all(len(piece.text) <= _SHORT for piece in part)


def _overlap(a: Line, b: Line) -> bool:
    """Whether two pieces stand beside each other."""
    shared = min(a.top, b.top) - max(a.bottom, b.bottom)
    return shared > 0.3 * min(a.size, b.size)


def _is_table(parts: list[list[Line]]) -> bool:
    def words(part: list[Line]) -> float:
        return sum(len(piece.words) for piece in part) / len(by_row(part))

    few = sum(words(part) < _CELL_WORDS for part in parts)
    return few >= max(1, len(parts) - 1) and all(words(part) < 2 * _CELL_WORDS for part in parts)


def _cells(pieces: list[Line]) -> Block:
    block = [piece for row in by_row(pieces) for piece in row]
    for piece in block:
        piece.is_cell = True
        piece.left, piece.right = piece.x0, piece.x1
    return block


def _bands(pieces: list[Line], em: float) -> list[list[Line]]:
    """Divide pieces at those that stand across the gutter that most rows have."""
    edge = _most_common_edge(pieces, em)
    if edge is None:
        return [pieces]
    bands: list[list[Line]] = []
    was_across: bool | None = None
    for piece in sorted(pieces, key=lambda piece: -piece.y):
        is_across = piece.x0 < edge - em and piece.x1 > edge + em / 2
        if is_across != was_across:
            bands.append([])
        bands[-1].append(piece)
        was_across = is_across
    return bands


def _most_common_edge(pieces: list[Line], em: float) -> float | None:
    """Return where most of the pieces start that have another one left of them."""
    starts = [
        piece.x0
        for piece, beside in _left_of(pieces)
        if piece.x0 - beside.x1 >= _GUTTER * em and len(beside.text) > _SHORT
    ]
    if not starts:
        return None
    near = {x: sum(abs(x - other) < em / 2 for other in starts) for x in starts}
    edge = max(near, key=lambda x: near[x])
    return edge if near[edge] > _FEWEST_ROWS else None


def _left_of(pieces: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield each piece that stands right of another one, with the nearest of these."""
    ordered = sorted(pieces, key=lambda piece: -piece.y)
    reach = 1.5 * max(piece.size for piece in pieces)
    first = 0
    for piece in ordered:
        while ordered[first].y - piece.y > reach:
            first += 1
        beside = []
        for other in ordered[first:]:
            if piece.y - other.y > reach:
                break
            if other.x1 <= piece.x0 and _overlap(piece, other):
                beside.append(other)
        if beside:
            yield piece, max(beside, key=lambda other: other.x1)
