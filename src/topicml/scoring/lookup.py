"""Tables by which the kernel finds words and n-grams, made once from a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.scoring.kernel import (
    FIRST_FACTOR,
    HASH_MASK,
    HIGH_SHIFT,
    KEY_BASE,
    KEY_MASK,
    LOW_MASK,
    NOTHING,
    SECOND_FACTOR,
    SPACE,
    SYMBOL_BITS,
    THIRD_FACTOR,
    Table,
    find_place,
    finish_key,
)

Term = tuple[str, ...]
_FULLNESS = 0.8  # share of the places in a table that are taken
_BUCKET = 3  # keys that share a displacement
_LARGEST_BUCKET, _TRIES = 64, 10_000  # beyond them keys are made to collide; 20 and 200 are usual
_MOST_NODES = 1 << SYMBOL_BITS
_TYPES = ("int32", "int32", "int64", "int32", "int64", "int32", "int32", "int32")  # of Lookup


class Lookup(NamedTuple):
    """The tables of one feature block of m terms; see ``kernel.Words`` and ``kernel.Ngrams``.

    Attributes:
        symbols: s symbols of the words or letters, which follow in ``letters``.
        letters: int32, code points of the words, or letters, a space behind each.
        word_keys: int64, keys of the words by place; none for letters.
        word_displacements: int32, of that table.
        step_keys: int64, keys of the steps by place.
        step_displacements: int32, of that table.
        step_nodes: int32, the node that a step leads to, by place.
        term_nodes: int32, the nodes of the m terms, in the order of the vocabulary.
    """

    symbols: NDArray[np.int32]
    letters: NDArray[np.int32]
    word_keys: NDArray[np.int64]
    word_displacements: NDArray[np.int32]
    step_keys: NDArray[np.int64]
    step_displacements: NDArray[np.int32]
    step_nodes: NDArray[np.int32]
    term_nodes: NDArray[np.int32]

    def starts(self) -> NDArray[np.int64]:
        """Return where the words start in ``letters``, in the order of ``symbols``."""
        # a letter may itself be a space, and is followed by one
        if not len(self.word_keys):
            return np.arange(0, len(self.letters), 2)
        return np.append(0, np.flatnonzero(self.letters == SPACE)[:-1] + 1)

    def first_letters(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the first letter of each word, and its symbol: an alphabet's letters."""
        return self.letters[self.starts()], self.symbols

    @classmethod
    def empty(cls) -> Lookup:
        """Return the tables of no terms."""
        return build_lookup([], "char_wb")


def build_lookup(vocabulary: Sequence[str], analyzer: str) -> Lookup:
    """Return the tables of a vocabulary; the same ones for the same vocabulary.

    Args:
        vocabulary: m n-grams; of words, joined by blanks, or of characters.
        analyzer: ``word`` or ``char_wb``.

    Raises:
        ValueError: More n-grams than the tables have numbers for.
    """
    terms: list[Term] = [tuple(t.split(" ") if analyzer == "word" else t) for t in vocabulary]
    words = sorted({word for term in terms for word in term})
    letters = [[ord(letter) for letter in word] for word in words]
    keys = [word_key(word) for word in words] if analyzer == "word" else []
    word_table = build_table(keys)
    symbols = [
        find_place(word_table.displacements, len(word_table.keys), key) for key in keys
    ] or list(range(len(words)))
    nodes = _number_nodes(terms, dict(zip(words, symbols, strict=True)), len(word_table.keys))
    longer = [term for term in nodes if len(term) > 1]
    steps = [nodes[term[:-1]] << SYMBOL_BITS | nodes[term[-1:]] for term in longer]
    step_table = build_table(steps)
    targets = [0] * len(step_table.keys)
    for key, term in zip(steps, longer, strict=True):
        targets[find_place(step_table.displacements, len(targets), key)] = nodes[term]
    return Lookup(
        symbols=np.array(symbols, dtype=np.int32),
        letters=np.array([n for word in letters for n in [*word, SPACE]], dtype=np.int32),
        word_keys=np.array(word_table.keys if keys else [], dtype=np.int64),
        word_displacements=np.array(word_table.displacements, dtype=np.int32),
        step_keys=np.array(step_table.keys, dtype=np.int64),
        step_displacements=np.array(step_table.displacements, dtype=np.int32),
        step_nodes=np.array(targets, dtype=np.int32),
        term_nodes=np.array([nodes[term] for term in terms], dtype=np.int32),
    )


def word_key(word: str) -> int:
    """Return a word's key, as ``kernel.read_words`` makes it."""
    number = union = 0
    for letter in word:
        number = (number * KEY_BASE + ord(letter) + 1) & KEY_MASK
        union |= ord(letter)
    return finish_key(number, len(word), union)


def _number_nodes(terms: list[Term], symbols: dict[str, int], places: int) -> dict[Term, int]:
    """Number the symbols as they are, and all longer beginnings of terms behind them."""
    nodes: dict[Term, int] = {(word,): symbol for word, symbol in symbols.items()}
    first = max(places, len(symbols)) - len(nodes)
    for term in terms:
        for length in range(2, len(term) + 1):
            nodes.setdefault(term[:length], first + len(nodes))
    if first + len(nodes) >= _MOST_NODES:
        raise ValueError(f"more than {_MOST_NODES:,} n-grams and beginnings of n-grams")
    return nodes


def build_table(keys: Sequence[int]) -> Table:
    """Return a perfect hash table of different keys.

    The largest buckets are placed first: each tries displacements until all its keys come
    to free places.

    Raises:
        ValueError: A key comes twice, or two cannot be told apart by their hash.
    """
    size = int(len(keys) / _FULLNESS) + 1
    buckets: dict[int, list[tuple[int, int]]] = {}
    count = 1 << (len(keys) // _BUCKET).bit_length()
    for key in keys:
        mixed = mix_key(key)
        buckets.setdefault(mixed & (count - 1), []).append((mixed, key))
    places = [NOTHING] * size
    displacements = [0] * count
    taken: set[int] = set()
    for bucket, members in sorted(buckets.items(), key=lambda item: -len(item[1])):
        mixed_keys = [mixed for mixed, _ in members]
        displacement, found = _free_places(mixed_keys, size, taken)
        taken.update(found)
        displacements[bucket] = displacement
        for place, (_, key) in zip(found, members, strict=True):
            places[place] = key
    return Table(places, displacements)


def mix_key(key: int) -> int:
    """Return a number whose bits depend on all bits of a key of up to 62."""
    mixed = (key & LOW_MASK) * FIRST_FACTOR ^ (key >> HIGH_SHIFT) * SECOND_FACTOR
    return mixed ^ mixed >> 29


def displaced_place(mixed: int, displacement: int, size: int) -> int:
    """Return the place in a table of that size which a mixed key is displaced to."""
    moved = (mixed >> 14 & HASH_MASK ^ displacement) * THIRD_FACTOR
    return (moved >> 12 & HASH_MASK) * size >> 32


def _free_places(mixed_keys: list[int], size: int, taken: set[int]) -> tuple[int, list[int]]:
    for attempt in range(_TRIES if len(mixed_keys) <= _LARGEST_BUCKET else 0):
        displacement = attempt * 0x9E3779B1 & 0x7FFFFFFF
        found = [displaced_place(mixed, displacement, size) for mixed in mixed_keys]
        if len(set(found)) == len(found) and taken.isdisjoint(found):
            return displacement, found
    raise ValueError("two keys of a vocabulary have the same hash")


def check_lookup(lookup: Lookup, terms: int) -> None:
    """Make sure that a walk through the tables stays inside them.

    The compiled kernel does not check bounds, so tables from a file are checked once.

    Raises:
        ValueError: The tables are not of the form ``build_lookup`` gives them.
    """
    tables: list[NDArray[np.integer[Any]]] = [*lookup]
    of_type = all(
        table.dtype == kind and table.ndim == 1 for table, kind in zip(tables, _TYPES, strict=True)
    )
    if not (of_type and _stays_inside(lookup, terms)):
        raise ValueError("lookup tables are not as they are made")


def _stays_inside(lookup: Lookup, terms: int) -> bool:
    places = len(lookup.word_keys) or len(lookup.symbols)
    nodes = lookup_nodes(lookup)
    tables = (lookup.word_displacements, lookup.step_displacements)
    return (
        all(len(table) and len(table) & (len(table) - 1) == 0 for table in tables)
        and len(lookup.step_keys) == len(lookup.step_nodes) > 0
        and len(lookup.term_nodes) == terms
        and nodes <= places + len(lookup.step_keys)  # no step leads to two nodes
        and nodes < _MOST_NODES
        and len(lookup.starts()) == len(lookup.symbols) > 0
        and int(lookup.letters[-1]) == SPACE
        and all(
            len(numbers) == 0 or (int(numbers.min()) >= 0 and int(numbers.max()) < limit)
            for numbers, limit in (
                (lookup.symbols, places),
                (lookup.step_nodes, nodes),
                (lookup.term_nodes, nodes),
                (lookup.letters, 0x110000),
            )
        )
    )


def lookup_nodes(lookup: Lookup) -> int:
    """Return the number of nodes: places of symbols, and all nodes that steps lead to."""
    places = len(lookup.word_keys) or len(lookup.symbols)
    return max(places, int(lookup.step_nodes.max(initial=-1)) + 1)
