"""Sentences of a text with exact character offsets.

The splitting itself is sentencex's. Around it stand three guards: odd spaces and
straight quotes are folded one character for one (so offsets hold), paragraphs are
split apart first, and a panic inside the library costs one paragraph its fine
splitting, never the run.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

import sentencex


class Sentence(NamedTuple):
    """One sentence: ``text == document[start:end]``, offsets in characters."""

    start: int
    end: int
    text: str


_SENTENCE_ENDS = (*".!?:;\"'”’)]",)
_PLAIN_BOUNDARY = re.compile(r"(?<=[.!?])\s+")
_WIDEST_WRAP = 120
_NARROWEST_WRAP = 40

# sentencex pairs straight quotes wrongly where every paragraph of a long quotation opens
# with one, so they are turned into opening and closing ones. An apostrophe is always a
# closing one: as an opening one it would swallow all up to the next.
_OPENING_QUOTE = re.compile(r'"(?<![^\s(\[{—–-]")(?=\S)')
# all of Unicode's space separators (category Zs)
_SPACES = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE = "\u200b\ufeff"
_SURROGATES = range(0xD800, 0xE000)  # alone, they cannot be handed to a library that takes UTF-8
_LEFT_TO_TRIM = " \n\x1f"  # by folding and joining
_BLANKED = (*_SPACES, *_LINE_BREAKS, *_INVISIBLE, "\t")
_FOLDS = [*((blank, " ") for blank in _BLANKED if blank != " "), ('"', "”"), ("'", "’")]
_ASCII_FOLDS = [(old, new) for old, new in _FOLDS if old.isascii()]
_OTHER_FOLDS = {  # by all bytes but the last in UTF-8, which most texts have none of
    prefix: [(old, new) for old, new in _FOLDS if old.encode()[:-1] == prefix]
    for prefix in {old.encode()[:-1] for old, _ in _FOLDS if not old.isascii()}
}
_HALVES = dict.fromkeys(_SURROGATES, "\ufffd")
_BETWEEN = "\n\n"  # sentencex never looks beyond it, and folded text has no line break


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    """Split a text into sentences.

    Args:
        text: Any string; lone surrogates and control characters are tolerated.
        language: ISO 639-1 code handed to sentencex.

    Returns:
        Sentences in order, without surrounding white space, never empty, never
        overlapping; every character that is not white space is in exactly one.
    """
    spans = sentence_spans(text, language)
    return [Sentence(start, end, text[start:end]) for start, end in spans]


def sentence_spans(text: str, language: str = "en") -> list[tuple[int, int]]:
    """Return where the sentences of ``split_sentences`` start and end."""
    folded = _fold(text)
    paragraphs = _paragraphs(text)
    joined = _BETWEEN.join([folded[start:end] for start, end in paragraphs])
    pieces = _segment(joined, language)
    if pieces is None:  # then one paragraph at a time, so that only a bad one suffers
        pieces = []
        for start, end in paragraphs:
            part = folded[start:end]
            pieces += _segment(part, language) or _plain_segments(part)
            pieces.append(_BETWEEN)
    return _locate(pieces, paragraphs)


def _locate(pieces: list[str], paragraphs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return where pieces of joined paragraphs are in the text, trimmed."""
    spans = []
    following = iter(paragraphs)
    shift = cursor = limit = 0  # a piece that starts under the limit is shifted by so much
    for piece in pieces:
        body = piece.strip(_LEFT_TO_TRIM)
        if body:
            first = cursor if piece[0] == body[0] else cursor + piece.index(body[0])
            while first >= limit:
                start, end = next(following)
                shift = start - limit
                limit += end - start + len(_BETWEEN)
            spans.append((first + shift, first + shift + len(body)))
        cursor += len(piece)
    return spans


def whole_text(text: str) -> list[Sentence]:
    """Return the text as one sentence, unsplit and untrimmed."""
    return [Sentence(0, len(text), text)]


def _fold(text: str) -> str:
    """Replace odd spaces, quotes and halves of characters, one for one."""
    if '"' in text:
        text = _OPENING_QUOTE.sub("“", text)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        text = text.translate(_HALVES)
        encoded = text.encode()
    folds = [*_ASCII_FOLDS]
    if not text.isascii():
        for prefix, others in _OTHER_FOLDS.items():
            folds += others if prefix in encoded else ()
    for old, new in folds:  # far faster than one translate
        text = text.replace(old, new)
    return text


def _segment(folded: str, language: str) -> list[str] | None:
    """Return the pieces of a folded text, or None where sentencex fails on it."""
    try:
        pieces: list[str] = sentencex.segment(language, folded)
    except BaseException as err:
        if type(err).__name__ != "PanicException":
            raise
        return None
    if "".join(pieces) == folded:
        return pieces
    mended = _with_breaks(pieces, folded)
    return mended if "".join(mended) == folded else None


def _with_breaks(pieces: list[str], folded: str) -> list[str]:
    """Put back the paragraph breaks that sentencex drops every ten kilobytes."""
    mended = []
    cursor = 0
    for piece in pieces:
        if not folded.startswith(piece, cursor) and folded.startswith(_BETWEEN, cursor):
            mended.append(_BETWEEN)
            cursor += len(_BETWEEN)
        mended.append(piece)
        cursor += len(piece)
    return mended


def _plain_segments(paragraph: str) -> list[str]:
    """Split after sentence-ending punctuation: the fallback where sentencex fails."""
    cuts = [0, *(match.end() for match in _PLAIN_BOUNDARY.finditer(paragraph)), len(paragraph)]
    return [paragraph[a:b] for a, b in itertools.pairwise(cuts)]


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Return where paragraphs are: lines, joined where a line break is only a wrap."""
    lines = _lines(text)
    if not lines:
        return []
    width = max(end - start for start, end in lines)
    is_narrow = _NARROWEST_WRAP <= width <= _WIDEST_WRAP
    spans = lines[:1]
    for before, after in itertools.pairwise(lines):
        is_tight = is_narrow and text.count("\n", before[1], after[0]) <= 1
        # between most lines neither is so, and no more needs to be looked at
        may_be_wrap = is_tight or not text[after[0]].isupper()
        if may_be_wrap and _is_wrap(text, before, after, width if is_tight else None):
            spans[-1] = spans[-1][0], after[1]
        else:
            spans.append(after)
    return spans


def _is_wrap(text: str, before: tuple[int, int], after: tuple[int, int], width: int | None) -> bool:
    """Whether what is between two lines is only a wrap.

    It is where a sentence goes on, and where lines have a width and the next line's first
    word would not have fitted.
    """
    line, following = text[slice(*before)].rstrip(), text[slice(*after)].strip()
    if following[0].islower() and not line.endswith(_SENTENCE_ENDS):
        return True
    if width is None:
        return False
    return len(line) + 1 + len(following.split(maxsplit=1)[0]) > width


def _lines(text: str) -> list[tuple[int, int]]:
    """Return where the lines are that are not blank, without their line breaks."""
    spans = []
    start = 0
    for line in text.splitlines(keepends=True):
        if not line.isspace():
            spans.append((start, start + len(line.rstrip(_LINE_BREAKS))))
        start += len(line)
    return spans
