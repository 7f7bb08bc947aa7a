"""Sentences of a text with exact character offsets.

The splitting itself is sentencex's. Around it stand three guards: odd spaces and
straight quotes are folded one character for one (so offsets hold), paragraphs are
split apart first, and a panic inside the library costs one paragraph its fine
splitting, never the run.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import sentencex


class Sentence(NamedTuple):
    """One sentence: ``text == document[start:end]``, offsets in characters."""

    start: int
    end: int
    text: str


_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ENDS_SENTENCE = re.compile(r"[.!?:;\"'”’)\]]\s*$")
_PLAIN_BOUNDARY = re.compile(r"(?<=[.!?])\s+")
_WIDEST_WRAP = 120
_NARROWEST_WRAP = 40

# sentencex pairs straight quotes wrongly where every paragraph of a long quotation opens
# with one, so they are turned into opening and closing ones. An apostrophe is always a
# closing one: as an opening one it would swallow all up to the next.
_OPENING_QUOTE = re.compile(r'(?:(?<=[\s(\[{—–-])|\A)"(?=\S)')
_LAST_SPACE = 0x3000  # the ideographic space; no space separator comes after it
_SPACES = [chr(c) for c in range(_LAST_SPACE + 1) if unicodedata.category(chr(c)) == "Zs"]
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE = "\u200b\ufeff"
_SURROGATES = range(0xD800, 0xE000)  # alone, they cannot be handed to a library that takes UTF-8
_TRIMMED = "".join([*_SPACES, *_LINE_BREAKS, *_INVISIBLE, "\t\x1f"])
_FOLD: dict[int, str] = {
    **dict.fromkeys(map(ord, [*_SPACES, *_LINE_BREAKS, *_INVISIBLE, "\t"]), " "),
    **dict.fromkeys(_SURROGATES, "\ufffd"),
    ord('"'): "”",
    ord("'"): "’",
}


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    """Split a text into sentences.

    Args:
        text: Any string; lone surrogates and control characters are tolerated.
        language: ISO 639-1 code handed to sentencex.

    Returns:
        Sentences in order, without surrounding white space, never empty, never
        overlapping; every character that is not white space is in exactly one.
    """
    sentences: list[Sentence] = []
    for start, end in _paragraphs(text):
        cursor = start
        for piece in _segment(text[start:end], language):
            stop = cursor + len(piece)
            trimmed = _trim(text, cursor, stop)
            if trimmed is not None:
                sentences.append(trimmed)
            cursor = stop
    return sentences


def whole_text(text: str) -> list[Sentence]:
    """Return the text as one sentence, unsplit and untrimmed."""
    return [Sentence(0, len(text), text)]


def _trim(text: str, start: int, end: int) -> Sentence | None:
    piece = text[start:end]
    body = piece.strip(_TRIMMED)
    if not body:
        return None
    start += piece.index(body)
    return Sentence(start, start + len(body), body)


def _fold(text: str) -> str:
    return _OPENING_QUOTE.sub("“", text).translate(_FOLD)


def _segment(paragraph: str, language: str) -> list[str]:
    folded = _fold(paragraph)
    try:
        pieces: list[str] = sentencex.segment(language, folded)
    except BaseException as err:
        if type(err).__name__ != "PanicException":
            raise
        pieces = []
    if "".join(pieces) != folded:
        pieces = _plain_segments(folded)
    return pieces


def _plain_segments(paragraph: str) -> list[str]:
    """Split after sentence-ending punctuation: the fallback where sentencex fails."""
    cuts = [0, *(match.end() for match in _PLAIN_BOUNDARY.finditer(paragraph)), len(paragraph)]
    return [paragraph[a:b] for a, b in itertools.pairwise(cuts)]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield character spans of paragraphs: lines, joined where a line break is only a wrap."""
    lines = [(m.start(), m.end()) for m in _LINE.finditer(text) if m.group().strip()]
    if not lines:
        return
    width = max(end - start for start, end in lines)
    start, end = lines[0]
    for before, after in itertools.pairwise(lines):
        if not _is_wrap(text, before, after, width):
            yield start, end
            start = after[0]
        end = after[1]
    yield start, end


def _is_wrap(text: str, before: tuple[int, int], after: tuple[int, int], width: int) -> bool:
    """Whether the break between two lines was put there by a line width, not by a writer.

    So it is where the sentence plainly goes on in lower case, or where, in a text of
    short lines, the next line's first word would not have fitted.
    """
    line = text[slice(*before)].rstrip()
    following = text[slice(*after)].lstrip()
    if following[:1].islower() and not _ENDS_SENTENCE.search(line):
        return True
    blank_line_between = text.count("\n", before[1], after[0]) > 1
    if blank_line_between or not _NARROWEST_WRAP <= width <= _WIDEST_WRAP:
        return False
    first_word = following.split(maxsplit=1)[0]
    return len(line) + 1 + len(first_word) > width
