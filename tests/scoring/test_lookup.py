import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorers import SAME_KEYS, SEA_TEXTS, features

from topicml.scoring.kernel import NOTHING, SPACE, SYMBOL_BITS, Table, find_place
from topicml.scoring.lookup import (
    Lookup,
    build_lookup,
    build_table,
    check_lookup,
    lookup_nodes,
    mix_key,
    word_key,
)

LETTER = st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"))
WORD = st.text("abc", min_size=1, max_size=4) | st.text(LETTER, min_size=1, max_size=80)
WORD_TERMS = st.lists(
    st.lists(WORD, min_size=1, max_size=4).map(" ".join), unique=True, max_size=40
)
CHAR_TERMS = st.lists(
    st.text(LETTER | st.just(" "), min_size=1, max_size=6), unique=True, max_size=40
)
SEA_WORDS = sorted({word for text in SEA_TEXTS for word in text.split()})
SEA_TERMS = sorted({*SEA_WORDS, "the fleet", "fleet sails", "the fleet sails", "is baked at dawn"})


def walk(lookup: Lookup, parts: list[str], analyzer: str) -> int | None:
    """Follow a term's words or letters to its node, as the kernel does; None if it has none."""
    nodes = [first_node(lookup, part, analyzer) for part in parts]
    node = nodes[0]
    for symbol in nodes[1:]:
        if node is None or symbol is None:
            return None
        key = node << SYMBOL_BITS | symbol
        place = find_place(lookup.step_displacements.tolist(), len(lookup.step_keys), key)
        node = int(lookup.step_nodes[place]) if lookup.step_keys[place] == key else None
    return node


def first_node(lookup: Lookup, part: str, analyzer: str) -> int | None:
    if analyzer == "char_wb":
        letters, symbols = lookup.first_letters()
        return dict(zip(letters.tolist(), symbols.tolist(), strict=True)).get(ord(part))
    key = word_key(part)
    place = find_place(lookup.word_displacements.tolist(), len(lookup.word_keys), key)
    if lookup.word_keys[place] != key:
        return None
    start = dict(zip(lookup.symbols.tolist(), lookup.starts().tolist(), strict=True))[place]
    stored = lookup.letters[start : start + len(part) + 1].tolist()
    return place if stored == [*map(ord, part), SPACE] else None


def split_term(term: str, analyzer: str) -> list[str]:
    return term.split(" ") if analyzer == "word" else list(term)


def assert_found(terms: list[str], analyzer: str) -> None:
    lookup = build_lookup(terms, analyzer)
    if terms:
        check_lookup(lookup, len(terms))
    found = [walk(lookup, split_term(term, analyzer), analyzer) for term in terms]
    assert found == lookup.term_nodes.tolist()
    assert len(set(found)) == len(terms)
    assert max([-1, *lookup.term_nodes.tolist()]) < lookup_nodes(lookup)


@given(terms=WORD_TERMS)
def test_every_term_of_words_is_found(terms: list[str]) -> None:
    assert_found(terms, "word")


@given(terms=CHAR_TERMS)
def test_every_term_of_letters_is_found(terms: list[str]) -> None:
    assert_found(terms, "char_wb")


@given(fitted=features())
def test_every_term_of_a_fitted_vocabulary_is_found(fitted: tuple[Any, list[str]]) -> None:
    for _, vectorizer in fitted[0].transformer_list:
        assert_found([str(t) for t in vectorizer.get_feature_names_out()], vectorizer.analyzer)


@given(terms=WORD_TERMS.filter(bool), others=WORD_TERMS)
def test_what_no_term_begins_with_has_no_node(terms: list[str], others: list[str]) -> None:
    lookup = build_lookup(terms, "word")
    beginnings = {tuple(t.split(" ")[:n]) for t in terms for n in range(1, t.count(" ") + 2)}
    beginnings |= {(word,) for term in terms for word in term.split(" ")}
    for other in others:
        parts = other.split(" ")
        assert (walk(lookup, parts, "word") is not None) is (tuple(parts) in beginnings)


@pytest.mark.parametrize("word", ["fleet", "fleetingly", "a" * 8, "a" * 9, "日本", "ſ", "é" * 20])
def test_word_is_not_taken_for_one_with_the_same_key(word: str) -> None:
    """Where a key does not stand for one word alone, the letters are compared."""
    lookup = build_lookup([word], "word")
    exact = len(word) <= 8 and word.isascii()
    assert word_key(word) & 1 == (not exact)
    for other in (word[:-1], word + "s", word[:-1] + "x"):
        damaged = lookup._replace(letters=np.array([*map(ord, other), SPACE], dtype=np.int32))
        assert walk(damaged, [word], "word") is None
    assert walk(lookup, [word], "word") == lookup.term_nodes[0]


@pytest.mark.parametrize(("one", "other"), SAME_KEYS)
def test_words_with_the_same_key_have_no_place_in_one_vocabulary(one: str, other: str) -> None:
    assert word_key(one) == word_key(other)
    assert walk(build_lookup([one], "word"), [other], "word") is None
    with pytest.raises(ValueError, match="same hash"):
        build_lookup([one, other], "word")


def test_keys_of_short_ascii_words_are_different_numbers() -> None:
    words = {a + b + c for a in "az09_" for b in ("", *"az09_") for c in ("", *"az09_")}
    words |= {"\x7f" * n for n in range(1, 9)} | {"\x00" * n for n in range(1, 9)}
    words |= {"zzzzzzzz", "zzzzzzzy", "yzzzzzzz"}
    assert len({word_key(word) for word in words}) == len(words)


@given(terms=WORD_TERMS)
def test_same_vocabulary_gives_the_same_tables(terms: list[str]) -> None:
    for one, other in zip(build_lookup(terms, "word"), build_lookup(terms, "word"), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_tables_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from topicml.scoring.lookup import build_lookup; import hashlib;"
        f"tables = build_lookup({SEA_TERMS!r}, 'word');"
        "print(hashlib.sha256(b''.join(t.tobytes() for t in tables)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@given(keys=st.sets(st.integers(0, 2**62 - 1), max_size=300))
def test_table_is_a_perfect_hash(keys: set[int]) -> None:
    table = build_table(sorted(keys))
    places = [find_place(table.displacements, len(table.keys), key) for key in keys]
    assert [table.keys[place] for place in places] == list(keys)
    assert len(set(places)) == len(keys)
    assert sum(key != NOTHING for key in table.keys) == len(keys)
    assert len(table.displacements) & len(table.displacements) - 1 == 0
    assert len(table.keys) <= 1 + len(keys) / 0.8


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_table_of_consecutive_steps_is_a_perfect_hash(count: int) -> None:
    """Keys as walks have them: few symbols behind many nodes."""
    keys = [(n // 7) << SYMBOL_BITS | n % 7 for n in range(count)]
    table = build_table(keys)
    places = [find_place(table.displacements, len(table.keys), key) for key in keys]
    assert [table.keys[place] for place in places] == keys


def test_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same hash"):
        build_table([5, 7, 5])


def test_keys_that_were_chosen_to_collide_are_refused_before_long() -> None:
    crowded = [key for key in range(100_000) if mix_key(key) & 0xFF == 0]
    with pytest.raises(ValueError, match="same hash"):
        build_table(crowded)
    assert len(crowded) > 300


def test_any_displacement_and_key_stay_inside_the_table() -> None:
    for displacement in (0, 1, 2**31 - 1, -1, -(2**31)):
        for key in (0, 1, 2**31, 2**62 - 1, 2**61 + 12345):
            for size in (1, 2, 1000, 2**24):
                assert 0 <= find_place([displacement], size, key) < size


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
def test_empty_vocabulary_has_tables_where_nothing_is_found(analyzer: str) -> None:
    lookup = build_lookup([], analyzer)
    for one, other in zip(lookup, Lookup.empty(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert lookup.starts().tolist() == []
    assert lookup.step_keys.tolist() == [NOTHING]
    assert len(lookup.term_nodes) == 0
    with pytest.raises(ValueError, match="lookup tables"):  # no model is made of no terms
        check_lookup(lookup, 0)


def test_alphabet_with_a_blank_is_told_from_what_is_between_letters() -> None:
    lookup = build_lookup([" a", "a ", "b a"], "char_wb")
    letters, symbols = lookup.first_letters()
    assert dict(zip(letters.tolist(), symbols.tolist(), strict=True)) == {32: 0, 97: 1, 98: 2}


def damaged(lookup: Lookup, field: str, change: Callable[[Any], Any]) -> Lookup:
    return lookup._replace(**{field: change(getattr(lookup, field).copy())})


def put(place: int, value: int) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


CUTS: dict[str, Callable[[Any], Any]] = {
    "empty": lambda a: a[:0],
    "3 of them": lambda a: a[:3],
    "one short": lambda a: a[:-1],
    "one more": lambda a: np.append(a, a)[: len(a) + 1],
}
FORMS: dict[str, Callable[[Any], Any]] = {
    "matrix": lambda a: a[:, None],
    "number": lambda a: a[0],
    "float64": lambda a: a.astype(np.float64),
    "uint8": lambda a: a.astype(np.uint8),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}
DAMAGES: list[tuple[str, str, Callable[[Any], Any]]] = [
    *((field, name, FORMS[name]) for field in Lookup._fields for name in FORMS),
    *((f, n, CUTS[n]) for f in Lookup._fields for n in CUTS if not f.endswith("keys")),
    *(("word_keys", name, CUTS[name]) for name in ("empty", "3 of them")),
    *(("step_keys", name, CUTS[name]) for name in CUTS),
    *(("symbols", f"{n}", put(0, n)) for n in (-1, 1000)),
    *(("step_nodes", f"{n}", put(0, n)) for n in (-1, 1000, 2**24, 2**31 - 1)),
    *(("term_nodes", f"{n}", put(-1, n)) for n in (-1, 1000, 2**31 - 1)),
    *(("letters", f"{n}", put(0, n)) for n in (-1, 0x110000, SPACE)),
    ("letters", "open end", put(-1, ord("s"))),
]


@pytest.mark.parametrize(
    ("field", "change"),
    [(field, change) for field, _, change in DAMAGES],
    ids=[f"{field}, {name}" for field, name, _ in DAMAGES],
)
def test_damaged_tables_of_words_are_refused(field: str, change: Callable[[Any], Any]) -> None:
    lookup = build_lookup(SEA_TERMS, "word")
    check_lookup(lookup, len(SEA_TERMS))
    with pytest.raises(ValueError, match="lookup tables"):
        check_lookup(damaged(lookup, field, change), len(SEA_TERMS))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("letters", put(0, -1)),
        ("letters", lambda a: a[:-1]),
        ("letters", lambda a: a[:-2]),
        ("letters", put(-1, 97)),
        ("symbols", put(0, 1000)),
        ("symbols", lambda a: a[:-1]),
        ("step_nodes", put(0, 1000)),
        ("word_displacements", lambda a: a[:0]),
    ],
)
def test_damaged_tables_of_letters_are_refused(field: str, change: Callable[[Any], Any]) -> None:
    terms = ["a", "ab", "abc", " b", "c "]
    lookup = build_lookup(terms, "char_wb")
    check_lookup(lookup, len(terms))
    with pytest.raises(ValueError, match="lookup tables"):
        check_lookup(damaged(lookup, field, change), len(terms))


def test_tables_of_another_number_of_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="lookup tables"):
        check_lookup(build_lookup(SEA_TERMS, "word"), len(SEA_TERMS) + 1)


def test_tables_are_as_large_as_their_arrays() -> None:
    """A node that no step can have led to would make the kernel's arrays larger than the file."""
    lookup = build_lookup(SEA_TERMS, "word")
    most = len(lookup.word_keys) + len(lookup.step_keys)
    assert lookup_nodes(lookup) <= most
    check_lookup(damaged(lookup, "step_nodes", put(0, most - 1)), len(SEA_TERMS))
    with pytest.raises(ValueError, match="lookup tables"):
        check_lookup(damaged(lookup, "step_nodes", put(0, most)), len(SEA_TERMS))


def test_more_ngrams_than_there_are_numbers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topicml.scoring.lookup._MOST_NODES", 10)
    with pytest.raises(ValueError, match="more than 10 n-grams"):
        build_lookup(SEA_TERMS, "word")


def test_table_is_made_of_python_numbers_or_arrays_alike() -> None:
    keys = [word_key(word) for word in SEA_WORDS]
    table = build_table(keys)
    arrays = Table(*map(np.array, table))
    for key in keys:
        assert find_place(table.displacements, len(table.keys), key) == find_place(
            arrays.displacements, len(arrays.keys), key
        )
