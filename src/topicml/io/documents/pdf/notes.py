"""Footnotes: what is set smaller at the foot of a column and starts with a mark."""

from __future__ import annotations

import re

from topicml.io.documents.pdf.columns import Block
from topicml.io.documents.pdf.lines import Line, measured

_SMALLER = 0.94  # of the text's size
_MARK = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3}|[¹²³⁴⁵⁶⁷⁸⁹⁰]{1,3})[.)\]]?")
_GLUED_MARK = re.compile(r"[*†‡§¶¹²³⁴⁵⁶⁷⁸⁹⁰]{1,3}(?=\w|[“\"])")


class Notes:
    """Takes the notes out of the blocks of one page after the other.

    Args:
        body: Size of the text.

    Attributes:
        lines: Of the notes so far; each note's first one stands without its mark.
        starts: Numbers of the lines that start a note.
    """

    def __init__(self, body: float) -> None:
        self._body = body
        self.lines: list[Line] = []
        self.starts: set[int] = set()

    def take(self, blocks: list[Block]) -> list[Block]:
        """Return the blocks of a page without the notes at their feet."""
        return [rest for block in blocks if (rest := self._rest(block, blocks))]

    def _rest(self, block: Block, blocks: list[Block]) -> Block:
        first = len(block)
        while first and block[first - 1].size < _SMALLER * self._body:
            first -= 1
        if first == len(block) or self._is_above_text(block[first:], blocks):
            return block
        goes_on = first == 0 and self._is_open() and block[0].size < _SMALLER * self._body
        if not goes_on:
            starts = (i for i in range(first, len(block)) if _is_marked(block[i]))
            first = next(starts, len(block))
        for line in measured(block[first:]):
            if _is_marked(line):
                self.starts.add(len(self.lines))
                line = _without_mark(line)
            self.lines.append(line)
        return block[:first]

    def _is_open(self) -> bool:
        return bool(self.lines) and self.lines[-1].text[-1:] not in '.!?”"’)'

    def _is_above_text(self, lines: list[Line], blocks: list[Block]) -> bool:
        lowest = min(line.y for line in lines)
        x0, x1 = min(line.x0 for line in lines), max(line.x1 for line in lines)
        return any(
            line.y < lowest and line.x0 < x1 and line.x1 > x0
            for block in blocks
            for line in block
            if line.size >= _SMALLER * self._body
        )


def _is_marked(line: Line) -> bool:
    word = line.words[0]
    is_mark = bool(_MARK.fullmatch(word.text)) and len(line.words) > 1
    return is_mark or bool(_GLUED_MARK.match(word.text))


def _without_mark(line: Line) -> Line:
    word = line.words[0]
    if _MARK.fullmatch(word.text):
        words = [line.words[1]._replace(glued=False), *line.words[2:]]
    else:
        words = [word._replace(text=_GLUED_MARK.sub("", word.text)), *line.words[1:]]
    return Line(words, line.page, line.left, line.right)
