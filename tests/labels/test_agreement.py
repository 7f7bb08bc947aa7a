from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import TAXONOMY

from topicml.errors import LabelError
from topicml.labels.agreement import agreement, differences
from topicml.labels.records import Annotation

passes = st.lists(
    st.tuples(*[st.sets(st.sampled_from(["cooking", "gardening"]))] * 2), min_size=1, max_size=15
)


def two_passes(pairs):
    return (
        [Annotation(str(i), tuple(sorted(a))) for i, (a, _) in enumerate(pairs)],
        [Annotation(str(i), tuple(sorted(b))) for i, (_, b) in enumerate(pairs)],
    )


@pytest.mark.filterwarnings("ignore:.*only one label in common")
@settings(deadline=None)
@given(passes)
def test_kappa_equals_the_textbook_formula(pairs):
    for row in agreement(*two_passes(pairs), TAXONOMY):
        a = [row.topic in one for one, _ in pairs]
        b = [row.topic in other for _, other in pairs]
        assert (row.first, row.second) == (sum(a), sum(b))
        observed = sum(x == y for x, y in zip(a, b, strict=True)) / len(pairs)
        p, q = sum(a) / len(pairs), sum(b) / len(pairs)
        by_chance = p * q + (1 - p) * (1 - q)
        if by_chance < 1:
            assert row.kappa == pytest.approx((observed - by_chance) / (1 - by_chance), abs=1e-9)


def test_kappa_is_undefined_where_neither_gave_the_topic():
    cooking, gardening = agreement(
        [Annotation("1", ("cooking",)), Annotation("2", ())],
        [Annotation("1", ("cooking",)), Annotation("2", ())],
        TAXONOMY,
    )
    assert cooking.kappa == 1.0
    assert gardening.kappa is None


@pytest.mark.filterwarnings("error")
def test_kappa_is_undefined_where_both_gave_the_topic_to_every_sentence():
    both = [Annotation("1", ("cooking",)), Annotation("2", ("cooking",))]
    cooking, _ = agreement(both, both, TAXONOMY)
    assert (cooking.first, cooking.second) == (2, 2)
    assert cooking.kappa is None


def test_agreement_is_over_shared_sentences_in_any_order():
    first = [Annotation("1", ("cooking",)), Annotation("2", ()), Annotation("3", ("cooking",))]
    second = [Annotation("2", ()), Annotation("1", ("cooking",)), Annotation("9", ("cooking",))]
    cooking, _ = agreement(first, second, TAXONOMY)
    assert (cooking.first, cooking.second, cooking.kappa) == (1, 1, 1.0)


def test_passes_that_share_no_sentence_are_refused():
    with pytest.raises(LabelError) as caught:
        agreement([Annotation("1", ())], [Annotation("2", ())], TAXONOMY)
    assert caught.value.what == "the two passes share no sentence"
    assert caught.value.where is None
    assert "same ids" in caught.value.hint


@settings(deadline=None)
@given(passes)
def test_differences_are_the_sentences_with_other_topics(pairs):
    first, second = two_passes(pairs)
    found = differences(first, second)
    assert [int(a.id) for a, _ in found] == [i for i, (a, b) in enumerate(pairs) if a != b]
    assert all(a.id == b.id for a, b in found)
    assert [b.id for b, _ in differences(second, first)] == [a.id for a, _ in found]


def test_differences_leave_out_sentences_of_one_pass_only():
    assert differences([Annotation("1", ("cooking",))], [Annotation("2", ())]) == []


def test_agreement_refuses_a_topic_that_the_taxonomy_does_not_have():
    passes_with_typo = [Annotation("1", ("coking",))], [Annotation("1", ())]
    with pytest.raises(LabelError, match="Did you mean 'cooking'"):
        agreement(*passes_with_typo, TAXONOMY)
