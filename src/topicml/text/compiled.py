"""Sentences by the text kernel: what ``sentence_spans`` finds, many times as fast."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.compiling import compile_functions, read_only
from topicml.text import kernel, paragraphs, sentences
from topicml.text.normalise import IGNORABLE, JOINED, LINE_BREAKS
from topicml.text.packed import Split

_POINTS = sys.maxunicode + 1
_UTF32, _SURROGATES = "utf-32-le", "surrogatepass"
_HALVES = range(0xD800, 0xE000)
_REPLACEMENT = 0xFFFD
_SMALL = 1000
_GOES_ON = "abcdefghijklmnopqrstuvwxyz,;:.!?…"
_STOPS, _HYPHENS, _ODD = ".!?", "-‐", ">‐"
_KINDS = {
    kernel.SPACE: np.char.isspace,
    kernel.WORD: np.char.isalnum,
    kernel.LOWER: np.char.islower,
    kernel.UPPER: np.char.isupper,
    kernel.DIGIT: np.char.isdecimal,
}


class CompiledSplitter:
    """Splits texts as ``sentence_spans`` does; one for each thread.

    Args:
        longest: Characters of the longest text.
        language: ISO 639-1 code handed to sentencex.
    """

    def __init__(self, longest: int, language: str = "en") -> None:
        self._language = language
        self._functions, self._tables = _compiled()
        self._room = _room(longest)

    def split(self, text: str) -> Split:
        """Split a text into sentences."""
        found = self._split(text) if text else None
        return found or Split.of(sentences.sentence_spans(text, self._language))

    def _split(self, text: str) -> Split | None:
        """Do so by the kernel; return None where the text is left to ``sentence_spans``."""
        folded, seen = self.fold(text)
        pieces = sentences.segment(folded, self._language) if folded else None
        if pieces is None:
            return None
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        found = self._functions["locate_sentences"](lengths, self._tables, self._room)
        if found == kernel.NOT_PLAIN:
            return None
        spans = self._room.spans[: 2 * found].reshape(-1, 2).astype(np.int64)
        return Split(spans, not seen & (kernel.ODD | kernel.BROKEN))

    def fold(self, text: str) -> tuple[str, int]:
        """Return a text's paragraphs as sentencex is given them, and what was seen in it.

        Both are as good as nothing where the text is left to ``sentence_spans``.
        """
        points = np.frombuffer(text.encode(_UTF32, _SURROGATES), dtype=np.int32)
        seen, size = self._functions["prepare_text"](points, self._tables, self._room)
        return str(self._room.parts[:size].data, _UTF32), seen


@functools.cache
def _compiled() -> tuple[dict[str, Any], kernel.Tables]:
    return compile_functions(kernel), _tables()


def _room(longest: int) -> kernel.Room:
    places = dict.fromkeys(kernel.Room._fields, longest + 2)
    places |= {"parts": 2 * longest + 2, "spans": 2 * longest + 2}
    places |= {"lengths": max(paragraphs.WIDTHS) + 2}
    return kernel.Room(**{name: np.empty(size, dtype=np.int32) for name, size in places.items()})


def _tables() -> kernel.Tables:
    closed = {*sentences.ABBREVIATIONS.split(), *_capitals(sentences.ABBREVIATIONS)}
    kinds = dict.fromkeys(closed | {*_capitals(sentences.OPEN)}, kernel.CLOSED)
    kinds |= {"No": kernel.NUMBER} | dict.fromkeys(sentences.OPEN.split(), kernel.OPEN)
    abbreviations = sorted(kinds, key=_word_key)
    return kernel.Tables(
        classes=read_only(_classes()),
        folds=read_only(_folds()),
        abbreviations=_keys(abbreviations),
        kinds=read_only(np.array([kinds[word] for word in abbreviations], dtype=np.int8)),
        starters=_keys(sentences.STARTER_WORDS),
        verbs=_keys(sentences.VERBS),
        unfinished=_keys(word.strip() for word in paragraphs.UNFINISHED),
        longest_abbreviation=max(map(len, abbreviations)),
        longest_marker=paragraphs.LONGEST_MARKER,
        shortest_going_on=paragraphs.SHORTEST_GOING_ON,
        wrapped_share=paragraphs.WRAPPED_SHARE,
        narrowest=min(paragraphs.WIDTHS),
        widest=max(paragraphs.WIDTHS),
        narrow=paragraphs.NARROW,
        fewest_narrow=paragraphs.FEWEST_NARROW,
        full=paragraphs.FULL,
    )


def _capitals(words: str) -> list[str]:
    return words.upper().split()


def _word_key(word: str) -> int:
    points = np.array([*map(ord, word)], dtype=np.int32)
    return kernel.word_key(points, 0, len(word))


def _keys(words: Iterable[str]) -> NDArray[Any]:
    return read_only(np.array(sorted(map(_word_key, words)), dtype=np.int64))


def _classes() -> NDArray[np.uint16]:
    """Return the class bits of each code point, as this Python's ``str`` and ``re`` have them."""
    letters = np.arange(_POINTS, dtype=np.uint32).view("<U1")
    classes = np.zeros(_POINTS, dtype=np.uint16)
    for bit, is_kind in _KINDS.items():
        classes[is_kind(letters)] |= bit
    classes[np.char.istitle(letters) & (classes & kernel.UPPER == 0)] |= kernel.TITLE
    joined = "".join(re.findall(f"[{JOINED}]", "".join(map(chr, range(_SMALL)))))
    for bit, members in {
        kernel.BREAK: LINE_BREAKS,
        kernel.ENDS: "".join(paragraphs.ENDS),
        kernel.BULLET: paragraphs.BULLETS,
        kernel.STOP: _STOPS,
        kernel.IGNORED: IGNORABLE,
        kernel.HYPHEN: _HYPHENS,
        kernel.ODD: _ODD,
        kernel.JOINED: joined,
        kernel.GOES_ON: _GOES_ON,
    }.items():
        classes[[*map(ord, members)]] |= bit
    return classes


def _folds() -> NDArray[np.int32]:
    folds = np.arange(_POINTS, dtype=np.int32)
    folds[_HALVES.start : _HALVES.stop] = _REPLACEMENT
    for letter, folded in sentences.FOLDS.items():
        folds[ord(letter)] = ord(folded)
    return folds
