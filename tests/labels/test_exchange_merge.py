"""Annotations become records: who agrees, who does not, and what was never answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samples import TAXONOMY, record

from topicml.errors import LabelError
from topicml.labels.exchange.annotation import ForeignAnnotation
from topicml.labels.exchange.merge import Rules, merge
from topicml.labels.exchange.names import Names, read_map
from topicml.labels.texts import sha1_of

PATH = Path("tool.jsonl")
RULES = Rules(Names(TAXONOMY, {}), "new")


def given(labels, annotator="", text="Fry.", **fields):
    return ForeignAnnotation(fields.pop("number", 1), text, labels, annotator=annotator, **fields)


def merged(*annotations, rules=RULES):
    return merge([(PATH, annotation) for annotation in annotations], rules)


def only(*annotations, rules=RULES):
    ((_, found),) = merged(*annotations, rules=rules).records
    return found


def test_one_annotator_is_single():
    found = only(given(("gardening", "cooking", "gardening"), "ann", id="s-1", article="spring"))
    expected = record("s-1", "Fry.", "cooking", "gardening", article="spring")
    assert found == replace(expected, annotator="ann", status="single")


def test_ids_that_are_numbers_or_none_are_made_unique():
    assert only(given((), id="17")).id == "new-17"
    without = only(given(()))
    assert without.id.startswith("new-")
    assert without.id == only(given(())).id != only(given((), text="Sow.")).id
    assert without.article == without.id


def test_two_who_agree_are_gold():
    found = merged(given(("cooking",), "ann"), given(("cooking",), "bob"))
    ((_, agreed),) = found.records
    assert (agreed.status, agreed.annotator) == ("gold", "ann, bob")
    assert [(one.annotator, one.topics) for one in found.annotations] == [
        ("ann", ("cooking",)),
        ("bob", ("cooking",)),
    ]
    assert {(one.origin, one.sha1) for one in found.annotations} == {(PATH.name, sha1_of("Fry."))}


def test_two_who_disagree_are_skipped_and_their_annotations_kept():
    found = merged(given(("cooking",), "ann", id="a"), given((), "bob", id="a"))
    ((_, open_one),) = found.records
    assert (open_one.status, open_one.topics) == ("skipped", ())
    assert found.disagreements == ["a"]
    assert [(one.annotator, one.id, one.topics) for one in found.annotations] == [
        ("ann", "a", ("cooking",)),
        ("bob", "a", ()),
    ]


def test_nobody_named_who_contradicts_himself_is_skipped():
    found = merged(given(("cooking",)), given(()))
    assert found.disagreements == [found.records[0][1].id]
    assert found.annotations == []


def test_of_two_answers_of_one_person_in_a_file_the_later_counts():
    found = merged(given(("cooking",), "ann"), given((), "bob"), given((), "ann"))
    assert ([(r.topics, r.status) for _, r in found.records], found.disagreements) == (
        [((), "gold")],
        [],
    )
    asked = frozenset({"cooking", "gardening"})
    again = [given((name,), "ann", asked=asked) for name in ("cooking", "gardening")]
    assert only(*again).topics == ("gardening",)
    two = [(Path(name), given(labels, "ann")) for name, labels in (("a", ()), ("b", ("cooking",)))]
    assert len(merge(two, RULES).disagreements) == 1  # no order tells which is the later


def test_ground_truth_decides():
    found = only(given(("cooking",), "ann", is_ground_truth=True), given((), "bob"))
    assert (found.topics, found.status) == (("cooking",), "gold")


def test_skipped_is_counted_and_never_no_topic():
    found = merged(given(None, skipped="ignore"), given(None, text="Sow.", skipped="no response"))
    assert found.records == []
    assert found.skipped == {"ignore": 1, "no response": 1}


def test_one_who_skips_does_not_take_the_answer_of_another():
    found = merged(given(None, "ann", skipped="ignore"), given((), "bob"))
    assert [(r.topics, r.annotator) for _, r in found.records] == [((), "bob")]
    assert found.skipped == {"ignore": 1}


def test_lack_of_labels_is_no_topic_and_said_or_skipped():
    lacking = given((), is_said=False)
    assert only(lacking).topics == ()
    assert merged(lacking).unlabelled == 1
    assert merged(given(())).unlabelled == 0
    skipping = merged(lacking, rules=replace(RULES, skip_unlabelled=True))
    assert (skipping.records, skipping.skipped) == ([], {"no label": 1})


def part(name, accepted, **fields):
    return given((name,) if accepted else (), asked=frozenset({name}), **fields)


def test_answers_on_single_labels_count_when_all_were_asked_for():
    assert only(part("cooking", True), part("gardening", False)).topics == ("cooking",)
    assert only(part("cooking", False), part("gardening", False)).topics == ()


def test_refusal_of_one_label_is_not_no_topic():
    found = merged(part("cooking", False))
    assert (found.records, found.skipped) == ([], {"not all topics asked": 1})
    rules = replace(RULES, unasked_are_absent=True)
    assert only(part("cooking", True), rules=rules).topics == ("cooking",)


def test_contradicting_answers_on_one_label_are_a_disagreement():
    found = merged(part("cooking", True), part("cooking", False), part("gardening", True))
    assert len(found.disagreements) == 1
    assert found.records[0][1].status == "skipped"


def test_what_nobody_changed_is_the_record_that_was_exported():
    exported = replace(record("1", "Fry.", "cooking", round=3), annotator="x")
    assert only(given(("cooking",), "ann", exported=exported)) == exported
    changed = only(given((), "ann", is_said=False, exported=exported))
    assert changed == replace(exported, topics=(), annotator="ann", status="single")


def test_sentence_exported_without_label_stays_so_until_it_has_one():
    exported = replace(record("1", "Fry."), status="skipped")
    unread = merged(given((), is_said=False, exported=exported))
    assert ([r for _, r in unread.records], unread.skipped, unread.unread) == ([exported], {}, 1)
    assert only(given((), exported=exported)).status == "single"
    assert only(given(("cooking",), exported=exported)).topics == ("cooking",)


def test_two_texts_of_one_id_are_refused():
    with pytest.raises(LabelError, match="another text under the id of line 1") as caught:
        merged(given((), id="a"), given((), id="a", text="Sow.", number=4))
    assert caught.value.where == f"{PATH}:4"


def test_unknown_names_are_refused_together():
    names = Names(TAXONOMY, {})
    with pytest.raises(LabelError, match=r"unknown label 'cookin' \(also 'Lawn'\)") as caught:
        names.check([given(("cooking",)), given(("Lawn", "cookin")[::-1], number=3)], PATH)
    assert caught.value.where == f"{PATH}:3"
    assert "Did you mean 'cooking'?" in caught.value.hint
    assert "--map" in caught.value.hint


def test_map_says_what_names_stand_for(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('"Food" = "cooking"\n"Both" = ["cooking", "gardening"]\n"None" = []\n')
    names = Names(TAXONOMY, read_map(path, TAXONOMY))
    rules = replace(RULES, names=names)
    names.check([given(("Food", "None", "gardening"))], PATH)
    assert only(given(("Food",)), rules=rules).topics == ("cooking",)
    assert only(given(("Both",)), rules=rules).topics == ("cooking", "gardening")
    assert only(given(("None",)), rules=rules).topics == ()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[", "not valid TOML"),
        ("a.b = 'cooking'", "neither a topic nor a list"),
        ("a = 'cookin'", "unknown topic 'cookin'"),
        (None, "No such file"),
    ],
)
def test_wrong_maps_are_refused(tmp_path, content, what):
    path = tmp_path / "map.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LabelError, match=what) as caught:
        read_map(path, TAXONOMY)
    assert str(path) in str(caught.value.where)
