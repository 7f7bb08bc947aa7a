from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import TAXONOMY
from sklearn.metrics import cohen_kappa_score

from topicml.errors import LabelError
from topicml.labels.agreement import (
    agreement,
    alphas,
    cohen_kappa,
    differences,
    krippendorff_alpha,
    masi_distance,
    one_pass,
    passes_by_annotator,
)
from topicml.labels.records import Annotation

passes = st.lists(
    st.tuples(*[st.sets(st.sampled_from(["cooking", "gardening"]))] * 2), min_size=1, max_size=15
)


def two_passes(pairs):
    return (
        [Annotation(str(i), tuple(sorted(a))) for i, (a, _) in enumerate(pairs)],
        [Annotation(str(i), tuple(sorted(b))) for i, (_, b) in enumerate(pairs)],
    )


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


@pytest.mark.filterwarnings("ignore:.*only one label in common")
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=15))
def test_kappa_equals_that_of_scikit_learn(given_pairs):
    first, second = map(list, zip(*given_pairs, strict=True))
    kappa = cohen_kappa(first, second)
    if kappa is None:
        assert len({*first, *second}) == 1
    else:
        assert kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)


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


MISSING = "."


def units(*observers):
    """The values of each unit, of observers' values as a row each."""
    return [[v for v in unit if v != MISSING] for unit in zip(*observers, strict=True)]


# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: sections A, B and C
@pytest.mark.parametrize(
    ("observers", "alpha"),
    [
        (("0100000010", "1110010000"), 0.095),
        (("aabbdcccedda", "babbbccceddd"), 0.692),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
    ],
)
def test_alpha_is_that_of_the_published_worked_examples(observers, alpha):
    assert krippendorff_alpha(units(*observers)) == pytest.approx(alpha, abs=0.0005)


def alpha_pair_by_pair(units, distance):
    """Mean distance of two values of a unit, by that of any two values there are."""
    pairable = [unit for unit in units if len(unit) > 1]
    everything = [value for unit in pairable for value in unit]
    if not everything:
        return None
    within = sum(
        2 * distance(a, b) / (len(unit) - 1) for unit in pairable for a, b in combinations(unit, 2)
    )
    any_two = [distance(a, b) for a, b in combinations(everything, 2)]
    by_chance = sum(any_two) / len(any_two)
    return 1 - within / len(everything) / by_chance if by_chance else None


topic_sets = st.sets(st.sampled_from("abc")).map(sorted).map(tuple)


@given(st.lists(st.lists(topic_sets, max_size=4), max_size=8))
def test_alpha_of_sets_is_that_of_all_pairs_of_values(given_units):
    expected = alpha_pair_by_pair(given_units, masi_distance)
    assert krippendorff_alpha(given_units, masi_distance) == (
        expected if expected is None else pytest.approx(expected, abs=1e-9)
    )


# Passonneau 2006: equal, one inside the other, overlapping, apart
@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("ab", "ab", 0),
        ("", "", 0),
        ("a", "ab", 1 - 2 / 3 * 1 / 2),
        ("ab", "bc", 1 - 1 / 3 * 1 / 3),
        ("a", "b", 1),
        ("", "a", 1),
    ],
)
def test_masi_distance_weighs_overlap(one, other, distance):
    assert masi_distance(tuple(one), tuple(other)) == pytest.approx(distance)
    assert masi_distance(tuple(other), tuple(one)) == pytest.approx(distance)


def test_alphas_are_of_sentences_that_two_or_more_read():
    passes = [
        [Annotation("1", ("cooking",)), Annotation("2", ()), Annotation("3", ("gardening",))],
        [Annotation("1", ("cooking",)), Annotation("2", ())],
        [Annotation("2", ())],
    ]
    found = alphas(passes, TAXONOMY)
    assert (found.sentences, found.of_sets) == (2, 1.0)
    assert found.by_topic == {"cooking": 1.0, "gardening": None}
    assert alphas([], TAXONOMY).of_sets is None


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_passes_are_what_each_annotator_said_last():
    found = passes_by_annotator(
        [
            Annotation("1", ("gardening",), "lee", NOON.replace(hour=13)),
            Annotation("1", ("cooking",), "lee", NOON),
            Annotation("1", (), "kim"),
            Annotation("2", (), "kim", skipped=True),
            Annotation("2", ("cooking",), "sam", adjudicated=True),
        ]
    )
    assert {name: [(a.id, a.topics) for a in some] for name, some in found.items()} == {
        "kim": [("1", ())],
        "lee": [("1", ("gardening",))],
    }
    assert list(found) == ["kim", "lee"]


def test_a_repeated_id_is_refused_where_no_time_tells_which_is_the_last():
    twice = [Annotation("1", (), "kim", where="p:1"), Annotation("1", (), "kim", where="p:2")]
    for read in (lambda: one_pass(twice, Path("p")), lambda: passes_by_annotator(twice)):
        with pytest.raises(LabelError) as caught:
            read()
        assert caught.value.what == "'1' is annotated twice by 'kim', first at p:1"
        assert caught.value.where == "p:2"
        assert "Without a time" in caught.value.hint


def test_a_file_of_several_annotators_of_one_sentence_is_no_pass():
    both = [Annotation("1", (), "kim"), Annotation("1", (), "lee")]
    with pytest.raises(LabelError) as caught:
        one_pass(both, Path("p"))
    assert caught.value.what == "'1' is annotated by 2 annotators"
    assert caught.value.where == "p"
    assert "--annotations" in caught.value.hint


def test_a_file_of_adjudications_can_be_compared_with_a_pass():
    adjudications = [Annotation("1", ("cooking",), adjudicated=True)]
    assert [one.topics for one in one_pass(adjudications, Path("p"))] == [("cooking",)]


def test_annotators_who_read_different_texts_are_not_compared():
    found = passes_by_annotator(
        [
            Annotation("1", (), "kim", NOON, sha1="1" * 40),
            Annotation("1", (), "lee", NOON.replace(hour=13), sha1="2" * 40),
        ]
    )
    assert list(found) == ["lee"]
