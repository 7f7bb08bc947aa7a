"""Runs the kernel for one model: as plain Python for a few texts, compiled for many."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.scoring import compiled, kernel
from topicml.scoring.lookup import Lookup, lookup_nodes
from topicml.scoring.unicode_tables import PLAIN_LETTERS, POINTS, letter_tables

BULK = 400_000
"""Bytes of text after which it pays to load numba and the compiled kernel."""

_PACK = 4  # columns that the kernel adds up at a time
_SMALL_FREQUENCIES = 64
_LINE = 64  # bytes that a processor fetches at once
_PLAIN_CHUNKS, _COMPILED_CHUNKS = 1 << 11, 1 << 17  # remembered
_BYTES_PER_CHUNK, _WORDS_PER_CHUNK, _TERMS_PER_CHUNK = 4, 1, 24

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """One TF-IDF vocabulary with its share of the coefficients.

    Attributes:
        analyzer: ``word`` or ``char_wb``, as in scikit-learn.
        ngram_range: Shortest and longest n-gram.
        lengths: The lengths that the block's n-grams have.
        sublinear_tf: Whether term frequencies are damped to ``1 + log(tf)``.
        packed_vocabulary: The m terms in UTF-8, joined by line feeds.
        idf: m inverse document frequencies.
        coefficients: m by T + 1.
        lookup: Tables to find the terms by.
    """

    analyzer: str
    ngram_range: tuple[int, int]
    lengths: tuple[int, ...]
    sublinear_tf: bool
    packed_vocabulary: NDArray[np.uint8]
    idf: Floats
    coefficients: Floats
    lookup: Lookup

    @property
    def vocabulary(self) -> list[str]:
        """The m terms."""
        text = self.packed_vocabulary.tobytes().decode("utf-8")
        return text.split("\n") if len(self.idf) else []


class _Form(NamedTuple):
    """A way to run the kernel.

    Attributes:
        functions: The kernel's functions by name.
        letters: Unicode's tables.
        chunks: How many chunks are remembered.
        hand: Turns an array into what the functions index fastest.
        eights: Makes of bytes a table of each eight of them.
        alphabet: Makes the table of symbols by code point.
    """

    functions: dict[str, Any]
    letters: kernel.Letters
    chunks: int
    hand: Callable[[NDArray[Any]], Any]
    eights: Callable[[NDArray[np.uint8]], Any]
    alphabet: Callable[[Integers, Integers, int], Any]


class _Symbols(dict[int, int]):
    """Symbols by code point, ``unknown`` for those of no n-gram."""

    unknown = 0

    def __missing__(self, point: int) -> int:
        return self.unknown


def _plain_alphabet(points: Integers, symbols: Integers, unknown: int) -> Any:
    table = _Symbols(zip(points.tolist(), symbols.tolist(), strict=True))
    table.unknown = unknown
    return table


def _array_alphabet(points: Integers, symbols: Integers, unknown: int) -> Any:
    table = np.full(POINTS, unknown, dtype=np.int32)
    table[points] = symbols
    return _read_only(table)


class _Eights:
    """The eight bytes at each place of a buffer, as a number made when asked for."""

    def __init__(self, buffer: NDArray[np.uint8]) -> None:
        self._buffer = buffer.data

    def __getitem__(self, place: int) -> int:
        return int.from_bytes(self._buffer[place : place + kernel.EIGHT], "little", signed=True)


def _eights(buffer: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the eight bytes at each place of a buffer as numbers, without a copy."""
    if len(buffer) < _LINE:  # a table of one number or none would be another type for numba
        buffer = np.append(buffer, np.zeros(_LINE, dtype=np.uint8))
    found = np.ndarray(len(buffer) - kernel.EIGHT + 1, "<i8", buffer, strides=(1,))
    found.flags.writeable = False
    return found


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as numba is to see it, always with the one type of its kind."""
    view = np.require(array, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view


class Engine:
    """Adds up the log-odds of texts for one model; may be used by many threads at once.

    Args:
        blocks: At most one of words and at most one of characters.
        columns: Columns of the coefficients.
    """

    def __init__(self, blocks: Sequence[FeatureBlock], columns: int) -> None:
        self.width = -(-(columns + 1) // _PACK) * _PACK  # one for the squares of the idf
        self._blocks = {block.analyzer: block for block in blocks}
        self._bytes_seen = 0
        self._lock = threading.Lock()
        self._features: dict[bool, kernel.Features] = {}
        self._threads = threading.local()

    def score(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        intercepts: Floats,
    ) -> tuple[Floats, Integers]:
        """Score n texts.

        Args:
            buffer: UTF-8 bytes.
            starts: n places inside of it.
            ends: n places inside of it, none before its start.
            intercepts: One for each column.

        Returns:
            n by columns probabilities, and n by ``kernel.COUNTS`` counts.
        """
        self._bytes_seen += int((ends - starts).sum())
        return self._run(self._is_bulk(), buffer, (starts, ends), intercepts)

    def compile(self) -> None:
        """Take the compiled form from now on, where numba is installed."""
        self._bytes_seen += BULK

    def _is_bulk(self) -> bool:
        return self._bytes_seen >= BULK and compiled.is_usable()

    def _run(
        self,
        is_compiled: bool,
        buffer: NDArray[np.uint8],
        places: tuple[NDArray[np.int64], NDArray[np.int64]],
        intercepts: Floats,
    ) -> tuple[Floats, Integers]:
        form = _compiled_form() if is_compiled else _PLAIN
        starts, ends = places
        texts = len(starts)
        sums = np.zeros((texts, self.width))
        sums[:, : len(intercepts)] = intercepts
        counts = np.zeros((texts, kernel.COUNTS), dtype=np.int64)
        if texts:
            flat, hand = sums.reshape(-1), form.hand
            read = [hand(_read_only(array)) for array in (buffer, starts, ends)]
            read.insert(1, form.eights(buffer))
            written = hand(flat), hand(counts.reshape(-1))
            features = self._features_for(is_compiled, form)
            try:
                room = self._room(is_compiled, form, features, int((ends - starts).max()))
                form.functions["add_texts"](*read, features, *room, *written)
            except BaseException:  # stopped, or out of memory: what was half done is not kept
                self._threads.__dict__.clear()
                raise
            form.functions["apply_sigmoid"](hand(flat))
        return sums[:, : len(intercepts)], counts

    def _features_for(self, is_compiled: bool, form: _Form) -> kernel.Features:
        with self._lock:
            if is_compiled not in self._features:
                self._features[is_compiled] = _features(self._blocks, self.width, form)
            return self._features[is_compiled]

    def _room(
        self, is_compiled: bool, form: _Form, features: kernel.Features, longest: int
    ) -> tuple[kernel.Memory, kernel.Scratch]:
        """Return this thread's memory and room for texts up to ``longest`` bytes."""
        rooms = self._threads.__dict__
        capacity, memory, scratch = rooms.get(str(is_compiled), (-1, None, None))
        if memory is None:
            memory = _memory(features, form)
        if longest > capacity:
            capacity = 1 << max(10, longest.bit_length())
            scratch = _scratch(features, capacity, form, memory)
        rooms[str(is_compiled)] = capacity, memory, scratch
        return memory, scratch


def _features(blocks: dict[str, FeatureBlock], width: int, form: _Form) -> kernel.Features:
    word_block, character_block = blocks.get("word"), blocks.get("char_wb")
    words = _ngrams(word_block, width, form)
    characters = _ngrams(character_block, width, form)
    hand = form.hand
    lookup = word_block.lookup if word_block else _NO_LOOKUP
    keys = lookup.word_keys if len(lookup.word_keys) else np.array([kernel.NOTHING])
    starts = np.zeros(len(keys), dtype=np.int64)
    starts[lookup.symbols] = lookup.starts()
    word_table = kernel.Table(hand(_read_only(keys)), hand(_read_only(lookup.word_displacements)))
    letters = (character_block.lookup if character_block else _NO_LOOKUP).first_letters()
    return kernel.Features(
        letters=form.letters,
        words=kernel.Words(word_table, hand(_read_only(starts)), hand(_read_only(lookup.letters))),
        word_ngrams=words,
        alphabet=form.alphabet(*letters, characters.unknown),
        blank=dict(zip(*(a.tolist() for a in letters), strict=True)).get(
            kernel.SPACE, characters.unknown
        ),
        character_ngrams=characters,
        width=width,
    )


def _ngrams(block: FeatureBlock | None, width: int, form: _Form) -> kernel.Ngrams:
    lookup = block.lookup if block else _NO_LOOKUP
    unknown = lookup_nodes(lookup)
    idf, weights = np.zeros(unknown + 1), np.zeros((unknown + 1, width))
    longest = block.ngram_range[1] if block else 0
    counted = np.zeros(longest + 2, dtype=np.bool_)
    sublinear = block.sublinear_tf if block else False
    if block:
        idf[lookup.term_nodes] = block.idf
        weights[lookup.term_nodes, : block.coefficients.shape[1]] = block.coefficients
        counted[[length for length in block.lengths if length <= longest]] = True
    small = range(_SMALL_FREQUENCIES)
    damping = [1.0 + math.log(n) if sublinear and n > 1 else float(n) for n in small]

    def hand(array: NDArray[Any]) -> Any:
        return form.hand(_read_only(array))

    return kernel.Ngrams(
        table=kernel.Table(hand(lookup.step_keys), hand(lookup.step_displacements)),
        nodes=hand(lookup.step_nodes),
        idf=hand(idf),
        weights=hand(weights.reshape(-1)),
        unknown=unknown,
        longest=longest,
        counted=hand(counted),
        sublinear=sublinear,
        damping=hand(np.array(damping)),
    )


def _memory(features: kernel.Features, form: _Form) -> kernel.Memory:
    chunks, longest = form.chunks, features.character_ngrams.longest
    terms = chunks * _TERMS_PER_CHUNK * bool(longest) + _most_terms(longest) + longest
    arrays: tuple[NDArray[Any], ...] = (
        _aligned(2 * chunks * kernel.RECORD, np.int64),
        np.zeros(chunks * _BYTES_PER_CHUNK + kernel.MOST_BYTES, dtype=np.uint8),
        np.zeros(chunks * _WORDS_PER_CHUNK + kernel.MOST_BYTES, dtype=np.int32),
        np.zeros(terms, dtype=np.int32),
        np.zeros(terms, dtype=np.int32),
        _aligned(chunks * features.width if longest else 1, np.float64),
        np.zeros(5, dtype=np.int64),
    )
    return kernel.Memory(*[form.hand(array) for array in arrays])


def _most_terms(longest: int) -> int:
    """Return how many terms of characters a text can have that is taken by chunks."""
    return longest * (2 * kernel.MOST_BYTES + 1) + 1


def _aligned(size: int, kind: Any) -> NDArray[Any]:
    """Return zeros that start where a line of a processor's cache does."""
    array = np.zeros(size + _LINE // 8, dtype=kind)
    first = -array.ctypes.data % _LINE // 8
    return array[first : first + size]


def _scratch(
    features: kernel.Features, capacity: int, form: _Form, memory: kernel.Memory
) -> kernel.Scratch:
    words, characters = features.word_ngrams.unknown, features.character_ngrams.unknown
    points, symbols, nodes = (np.zeros(capacity + 2, dtype=np.int32) for _ in range(3))
    keys, starts, ends = (np.zeros(capacity + 2, dtype=np.int64) for _ in range(3))
    edges = np.zeros(min(capacity, kernel.MOST_BYTES) + 2, dtype=np.int64)
    chunks, numbers = (np.zeros(kernel.MOST_CHUNKS, dtype=np.int64) for _ in range(2))
    heads, places, groups = (np.zeros(2 * kernel.MOST_BYTES + 1, dtype=np.int32) for _ in range(3))
    word_counts = np.zeros(words + 1, dtype=np.int64)
    character_counts = np.zeros(characters + 1, dtype=np.int64)
    word_counts[-1] = character_counts[-1] = kernel.NEVER
    most_terms = _most_terms(features.character_ngrams.longest)
    most_found = max(words, characters, most_terms) + 2
    arrays: tuple[NDArray[Any], ...] = (
        edges,
        chunks,
        numbers,
        points,
        keys,
        starts,
        ends,
        symbols,
        nodes,
        np.zeros(most_terms, dtype=np.int32),
        word_counts,
        character_counts,
        heads,
        places,
        np.zeros(characters + 1, dtype=np.int64),
        groups,
        np.zeros(most_found, dtype=np.int32),
        np.zeros(most_found),
        np.ones(kernel.MOST_CHUNKS),
    )
    memory.used[4] = 2  # the counts and marks, now that all are new, are under it
    return kernel.Scratch(*[form.hand(array) for array in arrays])


_NO_LOOKUP = Lookup.empty()
_PLAIN = _Form(
    vars(kernel), PLAIN_LETTERS, _PLAIN_CHUNKS, lambda array: array.data, _Eights, _plain_alphabet
)


def _compiled_form() -> _Form:
    functions, tables = compiled.compile_kernel(), letter_tables()
    return _Form(functions, tables, _COMPILED_CHUNKS, lambda array: array, _eights, _array_alphabet)
