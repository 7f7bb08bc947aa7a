"""The reference scorer: TF-IDF and a linear model with ``re``, ``dict`` and numpy.

It takes a text apart as scikit-learn's ``TfidfVectorizer`` does, and starts at once.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from topicml.scoring.features import FeatureBlock, Floats, Integers

WORD = re.compile(r"(?u)\b\w\w+\b")
"""A word of word n-grams, as scikit-learn has it."""

_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-zÀ-ÖØ-öø-ɏ]")
_GROUP = 32  # texts that numpy adds up at a time
_MOST_TOKENS, _LONGEST_TOKEN = 1 << 15, 64  # that are kept
_COUNTS = 5
_NONE = (0,) * _COUNTS


class _Token(NamedTuple):
    """What is between two blanks.

    Attributes:
        words: Its words of two letters and more.
        terms: Indices of its n-grams of characters, as often as they come.
        counts: Words, words that are terms, runs of letters, letters, Latin letters.
    """

    words: Sequence[str]
    terms: Sequence[int]
    counts: tuple[int, ...]


class _Tokens(dict[str, _Token]):
    """Tokens by what is between two blanks, each taken apart when first asked for."""

    def __init__(self, words: FeatureBlock | None, characters: FeatureBlock | None) -> None:
        self._words = words
        self._characters = characters

    def __missing__(self, text: str) -> _Token:
        words = WORD.findall(text)
        known = sum(word in self._words.vocabulary for word in words) if self._words else 0
        runs = _LETTERS.findall(text)
        letters = "".join(runs)
        counts = len(words), known, len(runs), len(letters), len(_LATIN.findall(letters))
        terms = _character_terms(self._characters, text) if self._characters else []
        token = _Token(words, terms, counts)
        if len(text) <= _LONGEST_TOKEN:
            if len(self) >= _MOST_TOKENS:
                self.clear()
            self[text] = token
        return token


class ReferenceScorer:
    """Adds up the log-odds of texts for one model; may be used by many threads at once.

    Args:
        blocks: At most one of words and at most one of characters.
    """

    def __init__(self, blocks: Sequence[FeatureBlock]) -> None:
        self._columns = blocks[0].coefficients.shape[1]
        by_analyzer = {block.analyzer: block for block in blocks}
        self._words, self._characters = by_analyzer.get("word"), by_analyzer.get("char_wb")
        self._tokens = _Tokens(self._words, self._characters)

    def score(
        self, buffer: memoryview, starts: Integers, ends: Integers
    ) -> tuple[Floats, Integers]:
        """Return n by T + 1 log-odds without the intercepts, and n by 5 counts; see ``_Token``."""
        log_odds = np.zeros((len(starts), self._columns))
        counts = np.zeros((len(starts), _COUNTS), dtype=np.int64)
        for first in range(0, len(starts), _GROUP):
            rows = slice(first, first + _GROUP)
            spans = zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
            words, characters, counts[rows] = zip(
                *(self._count(buffer[start:end]) for start, end in spans), strict=True
            )
            if self._words:
                _add_log_odds(self._words, words, log_odds[rows])
            if self._characters:
                _add_log_odds(self._characters, characters, log_odds[rows])
        return log_odds, counts

    def tfidf(self, texts: Sequence[str]) -> list[tuple[Integers, Integers, Floats]]:
        """Return for each block, of words before of characters, what ``tfidf_of`` does."""
        encoded = (memoryview(text.encode("utf-8", "surrogatepass")) for text in texts)
        words, characters, _ = zip(*map(self._count, encoded), strict=True)
        blocks = (self._words, words), (self._characters, characters)
        return [tfidf_of(block, counts) for block, counts in blocks if block]

    def _count(self, data: memoryview) -> tuple[Counter[int], Counter[int], list[int]]:
        tokens = [self._tokens[token] for token in str(data, "utf-8", _EACH_BYTE).lower().split()]
        words = _word_terms(self._words, tokens) if self._words else ()
        characters = chain.from_iterable(token.terms for token in tokens)
        counts = zip(_NONE, *(token.counts for token in tokens), strict=True)
        return Counter(words), Counter(characters), [*map(sum, counts)]


def _replace_each_byte(error: UnicodeError) -> tuple[str | bytes, int]:
    """Read surrogates as such, and each other byte that is no UTF-8 as U+FFFD."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeDecodeError as err:
        return "\ufffd", err.start + 1


_EACH_BYTE = "topicml-replace-each-byte"
codecs.register_error(_EACH_BYTE, _replace_each_byte)


def _word_terms(block: FeatureBlock, tokens: Sequence[_Token]) -> list[int]:
    words = [word for token in tokens for word in token.words]
    shortest, longest = block.ngram_range
    vocabulary = block.vocabulary
    return [
        vocabulary[ngram]
        for length in range(shortest, longest + 1)
        for first in range(len(words) - length + 1)
        if (ngram := " ".join(words[first : first + length])) in vocabulary
    ]


def _character_terms(block: FeatureBlock, token: str) -> list[int]:
    """A token shorter than an n-gram is one by itself, and then there are no longer ones."""
    padded = f" {token} "
    shortest, longest = block.ngram_range
    vocabulary = block.vocabulary
    return [
        vocabulary[ngram]
        for length in range(shortest, min(longest, max(shortest, len(padded))) + 1)
        for first in range(max(1, len(padded) - length + 1))
        if (ngram := padded[first : first + length]) in vocabulary
    ]


def _add_log_odds(block: FeatureBlock, texts: Sequence[Counter[int]], log_odds: Floats) -> None:
    """Add TF-IDF of length one, times the coefficients."""
    rows, terms, tfidf = tfidf_of(block, texts)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    if len(starts):
        weighted = tfidf[:, np.newaxis] * block.coefficients.take(terms, axis=0)
        log_odds[rows[starts]] += np.add.reduceat(weighted, starts)


def tfidf_of(
    block: FeatureBlock, texts: Sequence[Mapping[int, int]]
) -> tuple[Integers, Integers, Floats]:
    """Return TF-IDF, for each text of length one.

    Args:
        block: Whose terms are counted.
        texts: Of each text how often which terms come.

    Returns:
        A text, a term and its TF-IDF, for each term of each text, in order.
    """
    sizes = [len(counts) for counts in texts]
    rows = np.repeat(np.arange(len(texts)), sizes)
    terms = np.fromiter(chain.from_iterable(texts), np.int64, len(rows))
    counts = chain.from_iterable(counts.values() for counts in texts)
    tf = np.fromiter(counts, np.float64, len(rows))
    tfidf = (1.0 + np.log(tf) if block.sublinear_tf else tf) * block.idf.take(terms)
    tfidf /= np.sqrt(np.bincount(rows, tfidf * tfidf))[rows]
    return rows, terms, tfidf
