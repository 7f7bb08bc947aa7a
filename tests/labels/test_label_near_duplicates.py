from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import home_records

from topicml.labels import checks as module
from topicml.labels.checks import has_near_duplicate, near_duplicates


def naive_near_duplicates(texts):
    """Compare every pair."""
    sets = [set(re.findall(r"\w+", text.lower())) for text in texts]
    found = []
    for i in range(len(sets)):
        for j in range(i + 1, len(sets)):
            union = sets[i] | sets[j]
            if union and len(sets[i] & sets[j]) / len(union) > 0.6:
                found.append((i, j, len(sets[i] & sets[j]) / len(union)))
    return found


sentences = st.lists(
    st.sampled_from(["Sow", "sow", "seeds", "soil", "2", "bed", "ö", "…", "weed,"]), max_size=6
).map(" ".join)


@settings(deadline=None)
@given(st.lists(sentences, max_size=12))
def test_near_duplicates_equal_brute_force(texts):
    assert near_duplicates(texts) == naive_near_duplicates(texts)


@settings(deadline=None)
@given(st.lists(sentences, max_size=12))
def test_near_duplicates_among_others_are_those_of_all_pairs(texts):
    half = len(texts) // 2
    across = {i for i, j, _ in naive_near_duplicates(texts) if i < half <= j}
    found = has_near_duplicate(texts[:half], texts[half:])
    assert set(np.flatnonzero(found).tolist()) == across


@given(st.lists(sentences, max_size=12))
def test_near_duplicates_do_not_depend_on_the_order(texts):
    last = len(texts) - 1
    turned = {(last - j, last - i, overlap) for i, j, overlap in near_duplicates(texts[::-1])}
    assert turned == set(near_duplicates(texts))


def test_near_duplicates_are_found_across_row_blocks(monkeypatch):
    texts = [record.text for record in home_records()]
    texts += [text.upper() for text in reversed(texts)]
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    found = near_duplicates(texts)
    assert found == naive_near_duplicates(texts)
    assert len(found) >= 32


@pytest.mark.parametrize("texts", [[], [""], ["…", "–"]])
def test_texts_without_words_have_no_near_duplicates(texts):
    assert near_duplicates(texts) == []
