import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorers import SAME_KEYS, SEA_TEXTS

from topicml.scoring.compiler import compile_kernel
from topicml.scoring.kernel import EMPTY, ID_BITS, Table
from topicml.scoring.trie import Trie, build_trie

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


def walk(trie: Trie, parts: list[str]) -> int | None:
    """Follow a term's words or characters to its state, as the kernel does; None if it has none."""
    targets = dict(zip(trie.edges.tolist(), trie.targets.tolist(), strict=True))
    state = trie.ids.get(parts[0])
    for part in parts[1:]:
        if state is None or part not in trie.ids:
            return None
        state = targets.get(state << ID_BITS | trie.ids[part])
    return state


def assert_found(terms: list[str], analyzer: str) -> None:
    trie = build_trie(terms, analyzer)
    split = [term.split(" ") if analyzer == "word" else list(term) for term in terms]
    assert [walk(trie, parts) for parts in split] == trie.terms.tolist()
    assert len({*trie.terms.tolist()}) == len(terms)
    beginnings = {tuple(parts[:n]) for parts in split for n in range(1, len(parts) + 1)}
    beginnings |= {(part,) for parts in split for part in parts}
    states = [walk(trie, list(beginning)) for beginning in beginnings]
    assert sorted(state for state in states if state is not None) == list(range(trie.states))
    assert len(trie.edges) == trie.states - len(trie.ids)


@given(terms=WORD_TERMS)
def test_every_term_of_words_is_found_and_has_a_state_of_its_own(terms: list[str]) -> None:
    assert_found(terms, "word")


@given(terms=CHAR_TERMS)
def test_every_term_of_characters_is_found_and_has_a_state_of_its_own(terms: list[str]) -> None:
    assert_found(terms, "char_wb")


@given(terms=WORD_TERMS.filter(bool), others=WORD_TERMS)
def test_what_no_term_begins_with_has_no_state(terms: list[str], others: list[str]) -> None:
    trie = build_trie(terms, "word")
    beginnings = {tuple(t.split(" ")[:n]) for t in terms for n in range(1, t.count(" ") + 2)}
    beginnings |= {(word,) for term in terms for word in term.split(" ")}
    for other in others:
        parts = other.split(" ")
        assert (walk(trie, parts) is not None) is (tuple(parts) in beginnings)


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
def test_empty_vocabulary_has_a_trie_where_nothing_is_found(analyzer: str) -> None:
    trie = build_trie([], analyzer)
    assert (trie.ids, trie.states, len(trie.edges), len(trie.terms)) == ({}, 0, 0, 0)


def test_words_that_are_alike_are_told_apart() -> None:
    words = sorted({word for pair in SAME_KEYS for word in pair})
    trie = build_trie(words, "char_wb")
    assert len({*trie.terms.tolist()}) == len(words) == 6


def fill(keys: list[int], size: int) -> Table:
    table = Table(np.full(size, EMPTY, dtype=np.int64), np.zeros(size, dtype=np.int32))
    values = np.arange(len(keys), dtype=np.int32)
    compile_kernel()["fill_table"](np.array(keys, dtype=np.int64), values, table)
    return table


@given(
    keys=st.lists(st.integers(0, 2**62 - 1), unique=True, max_size=300), room=st.integers(1, 300)
)
def test_every_key_of_a_table_is_there_once_with_its_value(keys: list[int], room: int) -> None:
    """However full the table is, and wherever its end is."""
    table = fill(keys, len(keys) + room)
    found = {int(k): int(v) for k, v in zip(table.keys, table.values, strict=True) if k != EMPTY}
    assert found == {key: n for n, key in enumerate(keys)}
    assert (table.keys == EMPTY).sum() == room


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_keys_of_edges_are_found_near_their_place(count: int) -> None:
    """Keys as tries have them: few ids behind many states."""
    table = fill([(n // 7) << ID_BITS | n % 7 for n in range(count)], 2 * count + 1)
    longest = max(map(len, "".join(np.where(table.keys == EMPTY, " ", "x")).split()))
    assert longest < 60  # keys in a row
