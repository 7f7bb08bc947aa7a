from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from archive_samples import FRY, reference_fields
from hypothesis import given
from hypothesis import strategies as st
from samples import record

from topicml.errors import LabelError
from topicml.labels.gold import GOLD_RULES, decide, gold_labels, last_readings
from topicml.labels.records import Annotation
from topicml.labels.references import label_reference
from topicml.labels.texts import sha1_of

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(minute):
    return NOON + timedelta(minutes=minute)


def decided(*annotations):
    (decision,) = decide(annotations)
    return decision.rule, decision.topics, decision.decided_by


readings = st.builds(
    Annotation,
    id=st.sampled_from(["s1", "s2"]),
    topics=st.sampled_from([(), ("a",), ("a", "b")]),
    annotator=st.sampled_from(["kim", "lee", "sam"]),
    skipped=st.booleans(),
    adjudicated=st.booleans(),
).map(lambda one: replace(one, topics=()) if one.skipped else one)


@given(st.lists(readings, max_size=10), st.randoms(use_true_random=False))
def test_gold_is_adjudicated_else_agreed_else_single(annotations, random):
    timed = [replace(one, time=at(n)) for n, one in enumerate(annotations)]
    expected = {}
    for identifier in {one.id for one in timed}:
        adjudicated, last = None, {}
        for one in (one for one in timed if one.id == identifier):
            if one.adjudicated:
                adjudicated = None if one.skipped else one.topics
            else:
                last[one.annotator] = None if one.skipped else one.topics
        said = [topics for topics in last.values() if topics is not None]
        if adjudicated is not None:
            expected[identifier] = "adjudicated", adjudicated
        elif not said:
            expected[identifier] = "skipped", None
        elif len(said) == 1:
            expected[identifier] = "single", said[0]
        elif all(topics == said[0] for topics in said):
            expected[identifier] = "agreement", said[0]
        else:
            expected[identifier] = "disagreement", None
    random.shuffle(timed)  # times tell the order, whatever file they are in
    found = decide(timed)
    assert {one.id: (one.rule, one.topics) for one in found} == expected
    assert [one.id for one in found] == sorted(expected)
    assert all((one.topics is not None) == (one.rule in GOLD_RULES) for one in found)


def test_nothing_said_an_empty_set_and_a_skip_are_three_things():
    empty, skip = Annotation("s1", (), "kim"), Annotation("s1", (), "kim", skipped=True)
    assert decide([]) == []
    assert decided(empty) == ("single", (), ("kim",))
    assert decided(skip) == ("skipped", None, ())
    assert decided(Annotation("s1", ("a",), "lee"), skip) == ("single", ("a",), ("lee",))
    assert decided(Annotation("s1", ("a",), "lee"), empty) == ("disagreement", None, ())


def test_an_adjudication_outranks_readings_of_after_it_until_it_is_taken_back():
    kim, lee = Annotation("s1", ("a",), "kim", at(0)), Annotation("s1", ("b",), "lee", at(9))
    settled = Annotation("s1", ("b",), "sam", at(1), adjudicated=True, reason="rule 3")
    assert decided(kim, settled, lee) == ("adjudicated", ("b",), ("sam",))
    taken_back = Annotation("s1", (), "sam", at(2), adjudicated=True, skipped=True)
    assert decided(kim, settled, lee, taken_back)[0] == "disagreement"


def test_of_one_time_the_line_further_down_is_the_last():
    first, second = Annotation("s1", ("a",), "kim", NOON), Annotation("s1", (), "kim", NOON)
    assert last_readings([first, second]) == [second]
    assert last_readings([second, first]) == [first]


def test_one_with_a_time_is_later_than_one_without():
    timed, untimed = Annotation("s1", ("a",), "kim", NOON), Annotation("s1", (), "kim")
    assert last_readings([timed, untimed]) == [timed]


def test_readings_without_a_time_cannot_replace_each_other():
    twice = [Annotation("s1", (), "kim", where="p:1"), Annotation("s1", (), "kim", where="p:2")]
    with pytest.raises(LabelError, match="annotated twice by 'kim', first at p:1"):
        decide(twice)


def test_readings_of_a_text_that_has_changed_do_not_count():
    old = Annotation("s1", ("a",), "kim", at(0), sha1="1" * 40)
    new = Annotation("s1", ("b",), "lee", at(1), sha1="2" * 40)
    assert decided(old, new) == ("single", ("b",), ("lee",))
    without = Annotation("s1", ("b",), "sam")
    assert decided(without, old, new) == ("agreement", ("b",), ("lee", "sam"))


def test_labels_have_all_of_their_sentences_but_topics_annotator_and_status():
    sentences = [
        record("s2", "Two.", "x", start=0, end=4, status="single", annotator="old"),
        record("s1", "One.", "x"),
        record("s3", "Three."),
        record("s4", "Four."),
    ]
    annotations = [
        Annotation("s1", (), "kim"),
        Annotation("s1", (), "lee"),
        Annotation("s2", ("a",), "sam", adjudicated=True),
        Annotation("s3", ("a",), "kim"),
        Annotation("s4", ("a",), "kim", skipped=True),
        Annotation("s9", ("a",), "kim"),
    ]
    found = gold_labels(decide(annotations), sentences)
    assert found.labels == [
        record("s1", "One.", annotator="kim, lee"),
        record("s2", "Two.", "a", start=0, end=4, annotator="sam"),
        record("s3", "Three.", "a", annotator="kim", status="single"),
    ]
    assert (found.unknown, found.changed) == (["s9"], [])


def test_a_nameless_adjudication_is_called_so():
    legacy = Annotation("s1", ("a",), adjudicated=True)
    (label,) = gold_labels(decide([legacy]), [record("s1", "One.")]).labels
    assert (label.annotator, label.status) == ("adjudicated", "gold")


def test_labels_by_reference_stay_so_and_are_sure_now(tmp_path):
    fields = reference_fields("s1", FRY, "x", unsure=True)
    reference = label_reference(fields, tmp_path / "real.jsonl", 1)
    (label,) = gold_labels(decide([Annotation("s1", ("a",), "kim")]), [reference]).labels
    assert label == replace(
        reference, topics=("a",), annotator="kim", status="single", unsure=False
    )


def test_a_sentence_that_has_another_text_than_was_read_is_told_of(tmp_path):
    reference = label_reference(reference_fields("s2", FRY, "x"), tmp_path / "real.jsonl", 1)
    sentences = [record("s1", "One."), reference]

    def read(**sha1s):
        annotations = [Annotation(i, ("a",), "kim", sha1=sha1) for i, sha1 in sha1s.items()]
        found = gold_labels(decide(annotations), sentences)
        return [label.id for label in found.labels], found.changed

    assert read(s1=sha1_of("One."), s2=reference.pointer.sha1) == (["s1", "s2"], [])
    assert read(s1=sha1_of("Won."), s2=sha1_of("Two.")) == ([], ["s1", "s2"])
