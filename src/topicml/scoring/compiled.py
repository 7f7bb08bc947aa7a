"""The compiled backend: a model's features as the kernel's arrays, and room for each thread."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.compiling import read_only
from topicml.scoring import kernel
from topicml.scoring.compiler import compile_kernel
from topicml.scoring.features import FeatureBlock, Floats, Integers
from topicml.scoring.trie import Trie, build_trie
from topicml.scoring.unicode_tables import POINTS, unicode_tables

_COLUMNS = 4  # that the kernel adds up at a time
_SMALL_FREQUENCIES = 64
_CACHE_LINE = 64  # bytes that a processor fetches at once
_TOKENS = 1 << 17  # in the cache
_BYTES_PER_TOKEN, _WORDS_PER_TOKEN, _TERMS_PER_TOKEN = 4, 1, 24
_NO_BYTES, _NO_PLACES = np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.int64)


class CompiledScorer:
    """Adds up the log-odds of texts for one model; may be used by many threads at once.

    Args:
        blocks: At most one of words and at most one of characters.
    """

    def __init__(self, blocks: Sequence[FeatureBlock]) -> None:
        self._columns = blocks[0].coefficients.shape[1]
        width = -(-(self._columns + 1) // _COLUMNS) * _COLUMNS  # one for the squares of the idf
        self._features = _features({block.analyzer: block for block in blocks}, width)
        self._threads = threading.local()
        self.score(_NO_BYTES, _NO_PLACES, _NO_PLACES)  # compiles, or loads what was compiled

    def score(
        self, buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[Floats, Integers]:
        """Return n by T + 1 log-odds without the intercepts, and n by 5 counts."""
        log_odds = np.zeros((len(starts), self._features.width))
        counts = np.zeros((len(starts), kernel.COUNTS), dtype=np.int64)
        read = [read_only(array) for array in (buffer, _eights(buffer), starts, ends)]
        try:
            context = self._context(int((ends - starts).max(initial=0)))
            add_texts = compile_kernel()["add_texts"]
            add_texts(*read, context, log_odds.reshape(-1), counts.reshape(-1))
        except BaseException:  # stopped, or out of memory: what was half done is not kept
            self._threads.__dict__.clear()
            raise
        return log_odds[:, : self._columns], counts

    def _context(self, longest: int) -> kernel.Context:
        """Return this thread's context, with room for texts up to ``longest`` bytes."""
        context: kernel.Context | None = getattr(self._threads, "context", None)
        if context is None or longest + 2 > len(context.workspace.points):
            capacity = 1 << max(10, longest.bit_length())
            cache = context.cache if context else _token_cache(self._features)
            workspace = _workspace(self._features, capacity, cache)
            context = self._threads.context = kernel.Context(self._features, cache, workspace)
        return context


def _eights(buffer: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the eight bytes at each place of a buffer as numbers, without a copy."""
    if len(buffer) < _CACHE_LINE:  # a table of one number or none would be another type for numba
        buffer = np.append(buffer, np.zeros(_CACHE_LINE, dtype=np.uint8))
    return np.ndarray(len(buffer) - kernel.EIGHT + 1, "<i8", buffer, strides=(1,))


def _features(blocks: dict[str, FeatureBlock], width: int) -> kernel.Features:
    words, characters = (_trie(blocks.get(analyzer), analyzer) for analyzer in ("word", "char_wb"))
    character_ids = _character_ids(characters)
    return kernel.Features(
        unicode=unicode_tables(),
        words=_words(words),
        word_ngrams=_ngrams(blocks.get("word"), words, width),
        character_ids=character_ids,
        blank=int(character_ids[ord(" ")]),
        character_ngrams=_ngrams(blocks.get("char_wb"), characters, width),
        width=width,
    )


def _trie(block: FeatureBlock | None, analyzer: str) -> Trie:
    return build_trie(block.vocabulary if block else (), analyzer)


def _character_ids(trie: Trie) -> NDArray[np.int32]:
    ids = np.full(POINTS, trie.states, dtype=np.int32)
    ids[[*map(ord, trie.ids)]] = [*trie.ids.values()]
    return read_only(ids)


def _words(words: Trie) -> kernel.Words:
    spelled = build_trie(words.ids, "char_wb")
    ids = np.full(spelled.states + 1, words.states, dtype=np.int32)
    ids[spelled.terms] = [*words.ids.values()]
    return kernel.Words(_character_ids(spelled), _edges(spelled), spelled.states, read_only(ids))


def _edges(trie: Trie) -> kernel.Table:
    size = 2 * len(trie.edges) + 1
    table = kernel.Table(
        np.full(size, kernel.EMPTY, dtype=np.int64), np.zeros(size, dtype=np.int32)
    )
    compile_kernel()["fill_table"](trie.edges, trie.targets, table)
    return kernel.Table(read_only(table.keys), read_only(table.values))


def _ngrams(block: FeatureBlock | None, trie: Trie, width: int) -> kernel.Ngrams:
    idf, weights = np.zeros(trie.states + 1), np.zeros((trie.states + 1, width))
    if block:
        idf[trie.terms] = block.idf
        weights[trie.terms, : block.coefficients.shape[1]] = block.coefficients
    sublinear = block.sublinear_tf if block else False
    small = range(_SMALL_FREQUENCIES)
    damping = [1.0 + math.log(n) if sublinear and n > 1 else float(n) for n in small]
    return kernel.Ngrams(
        edges=_edges(trie),
        idf=read_only(idf),
        weights=read_only(weights.reshape(-1)),
        unknown=trie.states,
        longest=block.ngram_range[1] if block else 0,
        sublinear=sublinear,
        damping=read_only(np.array(damping)),
    )


def _token_cache(features: kernel.Features) -> kernel.TokenCache:
    longest = features.character_ngrams.longest
    terms = _TOKENS * _TERMS_PER_TOKEN * bool(longest) + _most_terms(longest, kernel.MOST_BYTES)
    return kernel.TokenCache(
        slots=_aligned(2 * _TOKENS * kernel.SLOT, np.int64),
        spellings=np.zeros(_TOKENS * _BYTES_PER_TOKEN + kernel.MOST_BYTES, dtype=np.uint8),
        words=np.zeros(_TOKENS * _WORDS_PER_TOKEN + kernel.MOST_BYTES, dtype=np.int32),
        terms=np.zeros(terms, dtype=np.int32),
        sums=_aligned(_TOKENS * features.width if longest else 1, np.float64),
        used=np.zeros(5, dtype=np.int64),
    )


def _most_terms(longest: int, size: int) -> int:
    """Return how many terms of up to ``longest`` characters so many bytes can have."""
    return longest * (2 * size + 1) + 1


def _aligned(size: int, kind: Any) -> NDArray[Any]:
    """Return zeros that start where a line of a processor's cache does."""
    array = np.zeros(size + _CACHE_LINE // 8, dtype=kind)
    first = -array.ctypes.data % _CACHE_LINE // 8
    return array[first : first + size]


def _workspace(
    features: kernel.Features, capacity: int, cache: kernel.TokenCache
) -> kernel.Workspace:
    words, characters = features.word_ngrams.unknown, features.character_ngrams.unknown
    most_terms = _most_terms(features.character_ngrams.longest, kernel.TOKEN_BYTES)
    most_found = max(words, characters, most_terms) + 2
    cache.used[4] = 2  # the counts, now that all are new, are under it
    return kernel.Workspace(
        bounds=np.zeros(min(capacity, kernel.MOST_BYTES) + 2, dtype=np.int64),
        slots=np.zeros(kernel.MOST_TOKENS, dtype=np.int64),
        numbers=np.zeros(kernel.MOST_TOKENS, dtype=np.int64),
        points=np.zeros(capacity + 2, dtype=np.int32),
        starts=np.zeros(capacity + 2, dtype=np.int64),
        ends=np.zeros(capacity + 2, dtype=np.int64),
        ids=np.zeros(capacity + 2, dtype=np.int32),
        states=np.zeros(capacity + 2, dtype=np.int32),
        terms=np.zeros(most_terms, dtype=np.int32),
        word_counts=_counts(words),
        character_counts=_counts(characters),
        found=np.zeros(most_found, dtype=np.int32),
        tfidf=np.zeros(most_found),
        ones=np.ones(kernel.MOST_TOKENS),
    )


def _counts(unknown: int) -> NDArray[np.int64]:
    counts = np.zeros(unknown + 1, dtype=np.int64)
    counts[unknown] = kernel.NEVER
    return counts
