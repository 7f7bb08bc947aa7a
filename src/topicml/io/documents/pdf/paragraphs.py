"""Lines in the order in which they are read, to paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from topicml.io.documents.pdf.hyphens import Hyphens
from topicml.io.documents.pdf.lines import Line

_OTHER_SIZE = 0.07  # of the size, beyond which a line is of another kind
_WIDE = 1.3  # of the usual distance, beyond which a paragraph ends
_WIDEST = 2.2  # of the size, where the usual distance is not known
_INDENT = 0.7  # em
_ROOM = 0.6  # em that must be left, beside the next line's first word, where a line ends early
_CENTERED = 0.5  # em off the middle
_SHORT = 0.3  # of the column, left free behind an unfinished sentence that ends all the same
_FULL = 0.15  # of the column, left free at the end of a full line
_DIVIDED = re.compile(r"[\w.]-$")
_ITEM = re.compile(r"(?:[•▪◦‣●○■□–—*]|[-–—] |\(?\d{1,2}[.)]|\(?[a-zA-Z][.)]|\([ivx]+\))(?=\s|$)")
_BULLET = re.compile(r"^[•▪◦‣●○■□]\s*")
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(“\"])(?:(?:[A-Za-z]\.){1,4}|(?:Mr|Mrs|Ms|Dr|Prof|Gen|Lt|Col|Maj|Capt|Cmdr|Adm|Sgt|"
    r"Brig|Sen|Rep|Gov|Amb|St|Jr|Sr|No|vs|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|Fig|"
    r"Vol|Inc|Co|Corp|approx|ca|cf)\.)$"
)
_CAPTION = re.compile(
    r"(?:Figure|Fig\.|Table|Map|Photo|Chart|Box|Image|Source|Note)s?\b.{0,6}[:.\d]"
)
_LOOKED_PAST = 8  # paragraphs of other kinds, for where a sentence goes on


@dataclass(slots=True)
class Paragraph:
    """A paragraph, as lines.

    Attributes:
        lines: Its lines; those it was joined to from another column or page, too.
    """

    lines: list[Line] = field(default_factory=list)

    @property
    def is_cell(self) -> bool:
        """Whether it is a cell of a table."""
        return self.lines[0].is_cell

    @property
    def is_open(self) -> bool:
        """Whether its last sentence goes on elsewhere."""
        return not self.is_cell and _is_open(self.lines[-1].text)

    @property
    def is_caption(self) -> bool:
        """Whether it stands under a figure or over a table."""
        return bool(_CAPTION.match(self.lines[0].text))


def make_paragraphs(lines: list[Line], starts: Iterable[int] = ()) -> list[str]:
    """Return the texts of paragraphs.

    Args:
        lines: In the order in which they are read.
        starts: Numbers of lines that start a paragraph in any case.
    """
    if not lines:
        return []
    found = _group(lines, {*starts})
    hyphens = Hyphens(line.text for line in lines)
    texts = (hyphens.join(line.text for line in paragraph.lines) for paragraph in _joined(found))
    return [_BULLET.sub("", text) for text in texts]


def _group(lines: list[Line], starts: set[int]) -> list[Paragraph]:
    spacing = _usual_spacing(lines)
    paragraphs = [Paragraph([lines[0]])]
    for index, (before, line) in enumerate(pairwise(lines), start=1):
        after = lines[index + 1] if index + 1 < len(lines) else None
        paragraph = paragraphs[-1]
        is_same_column = before.page == line.page and before.y > line.y
        if is_same_column:
            is_new = _breaks(paragraph, line, after, spacing)
        else:
            is_new = _is_other_kind(before, line) or not _goes_over(paragraph, line)
        if is_new or index in starts:
            paragraphs.append(Paragraph([line]))
        else:
            paragraph.lines.append(line)
    return paragraphs


def _usual_spacing(lines: list[Line]) -> dict[float, float]:
    """Return the usual distance between lines, by their size."""
    steps: dict[float, Counter[float]] = {}
    for before, line in pairwise(lines):
        step = before.y - line.y
        if before.page == line.page and _same_size(before, line) and 0 < step < 3.5 * line.size:
            steps.setdefault(_rounded(line.size), Counter())[round(step * 2) / 2] += 1
    return {size: _lowest_common(counts) for size, counts in steps.items()}


def _lowest_common(counts: Counter[float]) -> float:
    """Return the smallest distance that is nearly as common as the commonest one."""
    most = max(counts.values())
    return min(step for step, count in counts.items() if count >= max(1, most * 0.4))


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _same_size(a: Line, b: Line) -> bool:
    return abs(a.size - b.size) <= _OTHER_SIZE * max(a.size, b.size)


def _is_other_kind(before: Line, line: Line) -> bool:
    return (
        not _same_size(before, line)
        or before.is_cell
        or line.is_cell
        or (before.bold != line.bold and not _is_mid_sentence(before.text, line.text))
        or (before.text.isupper() != line.text.isupper() and _is_heading_like(before, line))
    )


def _runs_on(before: Line, line: Line) -> bool:
    """Whether a full line in mid-sentence goes on in type of nearly the same size."""
    is_near = abs(before.size - line.size) <= 3 * _OTHER_SIZE * max(before.size, line.size)
    is_text = not before.is_cell and not line.is_cell and before.bold == line.bold
    is_aligned = abs(before.left - line.x0) < line.size
    left, right = min(before.left, line.left), max(before.right, line.right)
    is_full = right - before.x1 < _FULL * (right - left)
    return is_near and is_text and is_aligned and is_full and _is_open(before.text)


def _is_heading_like(before: Line, line: Line) -> bool:
    return sum(map(str.isalpha, before.text)) > 3 < sum(map(str.isalpha, line.text))


def _is_mid_sentence(before: str, line: str) -> bool:
    return _is_open(before) and line[:1].islower()


def _is_open(text: str) -> bool:
    return not _ENDS.search(text) or bool(_ABBREVIATION.search(text))


def _breaks(
    paragraph: Paragraph, line: Line, after: Line | None, spacing: dict[float, float]
) -> bool:
    """Whether a line starts a paragraph under the last one of the same column."""
    before = paragraph.lines[-1]
    usual = spacing.get(_rounded(line.size), _WIDEST / _WIDE * line.size)
    step = before.y - line.y
    if step > max(_WIDE * usual, line.size):
        return True
    if _is_other_kind(before, line) and not _runs_on(before, line):
        return True
    if _DIVIDED.search(before.text):
        return False
    text = line.text
    if _ITEM.match(text) and not _is_mid_sentence(before.text, text):
        return True
    if _CAPTION.match(text) and not _is_open(before.text):
        return True
    if _share_center(before, line):
        return False
    if _is_indented(paragraph, line, after):
        return True
    if _is_open(before.text):
        is_short = before.right - before.x1 > _SHORT * (before.right - before.left)
        return is_short and _ends_early(before, line) and not text[:1].islower()
    return _ends_early(before, line) and not text[:1].islower()


def _share_center(before: Line, line: Line) -> bool:
    off = abs(before.x0 + before.x1 - line.x0 - line.x1) / 2
    return off < _CENTERED * line.size < abs(before.x0 - line.x0)


def _is_indented(paragraph: Paragraph, line: Line, after: Line | None) -> bool:
    """Whether a line starts a paragraph by where it starts."""
    before = paragraph.lines[-1]
    em = _INDENT * line.size
    shift = line.x0 - before.x0
    hangs = len(paragraph.lines) == 1 and before.x0 - line.left < em
    goes_on = hangs and _is_open(before.text) and _is_full(before)
    left = min(line.left, after.left) if after else line.left
    if after and after.page == line.page and line.x0 - left > em < line.x0 - after.x0:
        return not goes_on
    if shift > em:
        is_item = bool(_ITEM.match(paragraph.lines[0].text))
        return not (len(paragraph.lines) == 1 and (is_item or _is_hanging(line, after)))
    if shift < -em:
        is_second = len(paragraph.lines) == 1
        return not is_second
    return False


def _is_hanging(line: Line, after: Line | None) -> bool:
    """Whether the lines behind the first one stand further in than that."""
    return after is not None and after.page == line.page and abs(after.x0 - line.x0) < 1


def _ends_early(before: Line, line: Line) -> bool:
    """Whether there was room for the next line's first word."""
    first = line.words[0]
    width = first.x1 - first.x0
    room = before.right - before.x1
    ragged = 0.04 * (before.right - before.left)
    return room > width + _ROOM * before.size + ragged


def _goes_over(paragraph: Paragraph, line: Line) -> bool:
    """Whether a paragraph goes on at the top of the next column or page."""
    before = paragraph.lines[-1]
    if _ITEM.match(line.text) and not line.text[:1].islower():
        return False
    if not _is_open(before.text):
        return line.text[:1].islower()
    return line.text[:1].islower() or not _ends_early(before, line)


def _joined(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Join what goes on behind a figure, a table, a box or a heading that stands between."""
    taken: set[int] = set()
    for index, paragraph in enumerate(paragraphs):
        if index in taken or not paragraph.is_open or paragraph.is_caption:
            continue
        if len(paragraph.lines) == 1 and not _is_full(paragraph.lines[0]):
            continue
        for other in range(index + 1, min(index + 1 + _LOOKED_PAST, len(paragraphs))):
            if other in taken:
                continue
            if _continues(paragraph, paragraphs[other], is_next=other == index + 1):
                paragraph.lines += paragraphs[other].lines
                taken.add(other)
                break
            if _is_alike(paragraph, paragraphs[other]) and not paragraphs[other].is_caption:
                break
    return [p for index, p in enumerate(paragraphs) if index not in taken]


def _is_full(line: Line) -> bool:
    return line.right - line.x1 < _FULL * (line.right - line.left)


def _is_alike(a: Paragraph, b: Paragraph) -> bool:
    first, last = b.lines[0], a.lines[-1]
    return _same_size(last, first) and last.bold == first.bold and not b.is_cell


def _continues(a: Paragraph, b: Paragraph, *, is_next: bool) -> bool:
    """Whether a paragraph is the rest of another; it starts small, or where that had no room."""
    first = b.lines[0]
    is_cut = len(a.lines) > 1 and _is_full(a.lines[-1]) and not is_next and not b.is_caption
    starts = (first.text[:1].islower() or is_cut) and not _ITEM.match(first.text)
    return starts and _is_alike(a, b)
