"""The characters of a page to words with their places."""

from __future__ import annotations

import ctypes
import math
import re
from collections import defaultdict
from typing import Any, NamedTuple

_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st",
    0xFB06: "st", 0x02: "-", 0xFFFE: "-", 0xF0B7: "•", 0xF0A7: "•", 0x2010: "-", 0x2011: "-",
}  # fmt: skip
_BOLD = re.compile(rb"bold|black|heavy|demi|cmbx", re.IGNORECASE)
_GLUED = 0.15  # em between characters that belong together
_APART = 0.6  # em between words that no space stands between
_SPACE_GUESSED = 0.1  # em that there must be where a space was made up
_HIGHEST = 0.7  # em off it, for what stands high or low
_DRIFT = 0.05  # em off the base line
_LEVEL = 5  # degrees off the horizontal
_BLANK = {9, 10, 11, 12, 13, 32, 0xA0, 0x2002, 0x2003, 0x2009, 0x200A, 0x202F, 0x3000}


class Word(NamedTuple):
    """A word, or a part of one in another size or height.

    Attributes:
        text: Its characters.
        x0: Where it starts.
        x1: Where it ends.
        y: Its base line; of what stands high or low beside it, that of the word it is beside.
        size: Of its type.
        bold: Whether that is bold.
        glued: Whether no space stands before it.
        order: Its number in the page's stream.
        script: How high it stands over its base line, in em of the word it is beside.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    glued: bool
    order: int
    script: float = 0.0


class _Style(NamedTuple):
    size: float
    bold: bool
    turn: int | None  # in quarters; None where it is none


def read_words(page: Any, box: tuple[float, float, float, float]) -> dict[int, list[Word]]:
    """Return the words of a page by the quarter turns in which they stand, as if they stood level.

    What stands aslant is a watermark, and no word; neither is what stands outside the page.

    Args:
        page: Of pypdfium2.
        box: What is seen of it: left, bottom, right and top.
    """
    textpage = page.get_textpage()
    try:
        return _Reading(textpage.raw, box).words()
    finally:
        textpage.close()


class _Reading:
    def __init__(self, handle: Any, box: tuple[float, float, float, float]) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._handle = handle
        self._box = box
        self._words: defaultdict[int, list[Word]] = defaultdict(list)
        self._text = ""
        self._style = _Style(0, False, None)
        self._x0 = self._x1 = self._y = 0.0
        self._start = 0.0  # of the last character; both of a ligature have the same place
        self._glued = False
        self._may_end = False  # a space or line end was made up, as before what stands high or low
        self._order = 0

    def words(self) -> dict[int, list[Word]]:
        raw, handle = self._raw, self._handle
        box, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
        styles: dict[bytes, _Style] = {}
        for index in range(raw.FPDFText_CountChars(handle)):
            code = raw.FPDFText_GetUnicode(handle, index)
            if code in _BLANK:
                if raw.FPDFText_IsGenerated(handle, index):
                    self._may_end = True
                else:
                    self._end(glued=False)
                continue
            if code not in _LIGATURES and (code < 0x20 or code in {0xFFFD, 0xFFFF}):
                continue
            key = bytes(raw.FPDFText_GetTextObject(handle, index))  # the address itself
            if key not in styles:
                styles[key] = self._style_at(index)
            raw.FPDFText_GetLooseCharBox(handle, index, box)
            raw.FPDFText_GetCharOrigin(handle, index, x, y)
            if styles[key].turn is not None and self._is_inside(x.value, y.value):
                self._add(code, styles[key], box, x.value, y.value)
        self._end(glued=False)
        return self._words

    def _style_at(self, index: int) -> _Style:
        raw, handle = self._raw, self._handle
        matrix, flags = raw.FS_MATRIX(), ctypes.c_int()
        name = ctypes.create_string_buffer(200)
        raw.FPDFText_GetMatrix(handle, index, matrix)
        raw.FPDFText_GetFontInfo(handle, index, name, 200, flags)
        height = math.hypot(matrix.c, matrix.d)
        size = raw.FPDFText_GetFontSize(handle, index) * height
        turned = math.degrees(math.atan2(matrix.b, matrix.a))
        quarters = round(turned / 90)
        is_level = abs(turned - 90 * quarters) <= _LEVEL
        return _Style(abs(size), bool(_BOLD.search(name.value)), quarters % 4 if is_level else None)

    def _is_inside(self, x: float, y: float) -> bool:
        left, bottom, right, top = self._box
        return left - 1 <= x <= right + 1 and bottom - 1 <= y <= top + 1

    def _add(self, code: int, style: _Style, box: Any, x: float, y: float) -> None:
        turn = style.turn or 0
        x0, x1, base = box.left, box.right, y
        if turn:
            x0, x1 = sorted(
                _turned(*corner, turn)[0]
                for corner in ((box.left, box.bottom), (box.right, box.top))
            )
            base = _turned(x, y, turn)[1]
        elif x0 > x1:
            x0, x1 = x1, x0
        if self._may_end and x0 - self._x1 > _SPACE_GUESSED * style.size:
            self._end(glued=False)
        self._may_end = False
        if self._text and not self._goes_on(style, x0, base):
            em = max(style.size, self._style.size)
            is_level = style.turn == self._style.turn and abs(base - self._y) < _HIGHEST * em
            self._end(glued=is_level and -_APART * em < x0 - self._x1 < _GLUED * em)
        if not self._text:
            self._x0, self._y, self._style = x0, base, style
        self._start = x0
        self._text += _LIGATURES.get(code) or chr(code)
        self._x1 = x1

    def _goes_on(self, style: _Style, x0: float, y: float) -> bool:
        old = self._style
        return (
            style.turn == old.turn
            and abs(style.size - old.size) < _DRIFT * old.size
            and abs(y - self._y) < 2 * _DRIFT * old.size
            and (x0 == self._start or -_APART * old.size < x0 - self._x1 < _APART * old.size)
        )

    def _end(self, *, glued: bool) -> None:
        if self._text:
            text = self._text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
            place = self._x0, self._x1, self._y
            style = self._style
            word = Word(text, *place, style.size, style.bold, self._glued, self._order)
            self._words[style.turn or 0].append(word)
            self._order += 1
        self._text = ""
        self._glued = glued


def _turned(x: float, y: float, turn: int) -> tuple[float, float]:
    return ((x, y), (y, -x), (-x, -y), (-y, x))[turn]
