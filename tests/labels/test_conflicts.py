from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samples import TAXONOMY, home_records, record

from topicml.errors import LabelError
from topicml.labels.conflicts import KINDS, Located, located_labels, refuse_contradictions
from topicml.labels.conflicts import text_issues as issues_of
from topicml.labels.references import ReferenceCount
from topicml.labels.store import LabelFile
from topicml.taxonomy import WorkedCase

FILE = Path("home.jsonl")
FRY = "Fry the onions in butter until they are golden."


def found(*records, taxonomy=TAXONOMY):
    """Return kind, id and score of each issue among records."""
    labels = [Located(FILE, replace(one, line=n)) for n, one in enumerate(records, start=1)]
    issues = issues_of(labels, taxonomy)
    assert {issue.kind for issue in issues} <= {*KINDS}
    return {(i.kind, i.label.record.id): (i.suggested, round(i.score, 2), i.other) for i in issues}


def test_sound_labels_have_no_issue():
    assert found(*home_records()) == {}


def test_both_labels_of_a_text_with_two_are_suspects():
    first, second = record("1", FRY, "cooking"), record("2", FRY.upper(), "gardening")
    assert found(first, second) == {
        ("contradiction", "1"): (("gardening",), 1.0, f"2 ({FILE}:2)"),
        ("contradiction", "2"): (("cooking",), 1.0, f"1 ({FILE}:1)"),
    }


def test_nearly_the_same_text_with_other_topics_is_listed_by_what_it_shares():
    first = record("1", FRY, "cooking")
    second = record("2", FRY.replace("onions", "leeks"))
    issues = found(first, second)
    assert issues["near-contradiction", "2"] == (("cooking",), 0.8, f"1 ({FILE}:1)")
    assert issues["near-contradiction", "1"][0] == ()
    assert len(issues) == 2


def test_of_several_like_it_the_most_alike_is_named():
    far = record("far", "Fry the leeks in butter until they are brown.", "gardening")
    near = record("near", FRY.replace("onions", "leeks"), "gardening")
    other = found(record("1", FRY, "cooking"), far, near)["near-contradiction", "1"][2]
    assert other == f"near ({FILE}:3)"


def test_a_text_in_two_articles_is_listed_last_and_in_one_not_at_all():
    first = replace(record("1", FRY, "cooking"), article="a")
    assert found(first, replace(first, id="2")) == {}
    issues = found(first, replace(first, id="2", article="b"))
    assert {key: score for key, (_, score, _) in issues.items()} == {
        ("repeated", "1"): 0.0,
        ("repeated", "2"): 0.0,
    }


def test_a_label_like_a_worked_case_has_its_topics():
    case = WorkedCase(FRY, ("cooking",))
    scheme = replace(TAXONOMY, cases=(case,))
    assert found(record("1", FRY, "cooking"), taxonomy=scheme) == {}
    issues = found(record("1", FRY.replace("golden", "brown"), "gardening"), taxonomy=scheme)
    assert issues == {("worked-case", "1"): (("cooking",), 0.8, f"worked case {FRY!r}")}


def label_file(*records):
    return LabelFile(FILE, records, (), ReferenceCount())


def test_skipped_sentences_are_no_labels():
    skipped = replace(record("1", FRY), status="skipped")
    assert located_labels([label_file(skipped)]) == []
    refuse_contradictions([label_file(record("2", FRY, "cooking"), skipped)])


def test_two_labels_for_one_text_are_refused_with_the_places_of_both():
    first = replace(record("1", FRY, "cooking"), line=3)
    second = replace(record("2", f"  {FRY.upper()}"), line=5)
    with pytest.raises(LabelError) as caught:
        refuse_contradictions([label_file(first, second)])
    assert str(caught.value).startswith(f"{FILE}:5: same text as {FILE}:3, other topics. Correct")
    refuse_contradictions([label_file(first, replace(second, topics=("cooking",)))])
