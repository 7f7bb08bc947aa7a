"""What an import makes of a label file, and of the annotations beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from archive_samples import reference_fields
from samples import TAXONOMY, record, write_lines

from topicml.errors import LabelError
from topicml.labels.annotations import AnnotationStore
from topicml.labels.exchange.annotation import Columns
from topicml.labels.exchange.exporting import losses
from topicml.labels.exchange.importing import (
    check_change,
    plan_change,
    read_annotations,
    write_change,
)
from topicml.labels.exchange.merge import Merged
from topicml.labels.exchange.names import Names
from topicml.labels.records import Annotation, LabelRecord, read_labels, write_labels
from topicml.labels.store import read_label_file
from topicml.labels.texts import sha1_of, write_texts

TOOL = Path("tool.jsonl")
FRY, SOW = record("a", "Fry.", "cooking"), record("b", "Sow.", "gardening")


def imported(*records: LabelRecord, annotations: Sequence[Annotation] = ()) -> Merged:
    return Merged([(TOOL, one) for one in records], annotations=[*annotations])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "labels.jsonl"
    write_labels(path, [FRY, SOW])
    return path


def test_new_changed_same_and_removed_are_told_apart(path):
    other = replace(SOW, topics=())
    change = plan_change(imported(other, record("c", "Read.")), path, append=False)
    assert [one.id for one in change.new] == ["c"]
    assert change.changed == [(SOW, other)]
    assert (change.same, change.removed) == (0, 1)
    again = plan_change(imported(FRY, SOW), path, append=True)
    assert (again.new, again.changed, again.same, again.removed) == ([], [], 2, 0)


def test_what_another_import_added_meanwhile_is_kept(path):
    planned = plan_change(imported(record("c", "Read.")), path, append=True)
    write_change(plan_change(imported(record("d", "Rest.")), path, append=True), force=False)
    write_change(planned, force=False)
    assert [one.id for one in read_label_file(path).records] == ["a", "b", "d", "c"]
    first = plan_change(imported(FRY), path.with_name("new.jsonl"), append=False)
    second = plan_change(imported(SOW), path.with_name("new.jsonl"), append=False)
    write_change(first, force=False)
    with pytest.raises(LabelError, match="exists already"):
        write_change(second, force=False)


def test_half_of_a_character_in_an_id_is_refused(tmp_path):
    source = write_lines(tmp_path / "tool.jsonl", {"text": "Fry.", "label": [], "id": "x\ud800"})
    with pytest.raises(LabelError, match="lone surrogate"):
        read_annotations([source], "doccano", Columns(), Names(TAXONOMY, {}))


def test_append_keeps_every_byte_that_was_there(path):
    path.write_text('{"topics":[], "text":"Read.",  "id":"old"}')
    before = path.read_bytes()
    write_change(plan_change(imported(FRY), path, append=True), force=False)
    assert path.read_bytes() == before + b"\n" + FRY.to_json().encode() + b"\n"


def test_append_changes_a_label_only_with_force_and_in_its_place(path):
    change = plan_change(imported(replace(FRY, topics=())), path, append=True)
    before = path.read_bytes()
    with pytest.raises(LabelError, match="other labels or annotators are there for 'a'") as caught:
        write_change(change, force=False)
    assert "--force" in caught.value.hint
    assert path.read_bytes() == before
    write_change(change, force=True)
    assert read_labels(path) == [replace(FRY, topics=()), SOW]


def test_nothing_takes_the_place_of_no_file(path):
    before = path.read_bytes()
    with pytest.raises(LabelError, match="no labels to import"):
        write_change(plan_change(imported(), path, append=False), force=True)
    assert path.read_bytes() == before


def test_label_by_reference_stays_one(tmp_path):
    path = write_lines(
        tmp_path / "real.jsonl", reference_fields("a", "Fry it.", "cooking", unsure=True)
    )
    write_texts(path, {sha1_of("Fry it."): "Fry it."})
    (found,) = read_label_file(path).records
    assert losses([found], "doccano", [path]) == ["unsure"]
    changed = replace(found, topics=("gardening",), annotator="ann")
    write_change(plan_change(imported(changed), path, append=True), force=True)
    (line,) = path.read_text("utf-8").splitlines()
    assert "text" not in json.loads(line)
    assert read_label_file(path).records == (changed,)


def test_replacing_a_file_that_is_broken_is_no_error_and_appending_to_it_is(path):
    path.write_text("{\n")
    assert plan_change(imported(FRY), path, append=False).new == [FRY]
    with pytest.raises(LabelError, match="not valid JSON"):
        plan_change(imported(FRY), path, append=True)


def test_labels_are_checked_where_they_come_from_and_with_those_that_are_there(path):
    merged = imported(replace(record("c", "Fry.", "gardening"), line=7))
    (finding,) = check_change(plan_change(merged, path, append=True), TAXONOMY, {})
    assert "other topics" in finding.what
    assert finding.where == f"{TOOL}:7"
    assert check_change(plan_change(merged, path, append=False), TAXONOMY, {}) == []


def test_annotations_are_added_to_those_that_are_there(path):
    def annotate(annotator, identifier, *topics):
        return Annotation(identifier, topics, annotator)

    store = AnnotationStore(path.parent / "annotations")
    both = [annotate("ann", "a"), annotate("bob", "a", "cooking")]
    change = plan_change(imported(FRY, annotations=both), path, append=True)
    assert write_change(change, force=False) == [path, store.path]
    assert write_change(change, force=False) == [path]  # nobody says anything else
    later = [annotate("bob", "a"), annotate("eve", "b")]
    write_change(plan_change(imported(SOW, annotations=later), path, append=True), force=False)
    found = [(one.annotator, one.id, one.topics) for one in store.read()]
    assert found == [(one.annotator, one.id, one.topics) for one in [*both, *later]]


@pytest.mark.parametrize(
    ("annotator", "expected"), [("", ["ann", "bob", "7"]), ("eve", ["eve", "eve", "7"])]
)
def test_files_that_name_nobody_have_the_names_of_their_annotators(tmp_path, annotator, expected):
    row = {"id": 1, "text": "Fry.", "label": []}
    paths = [write_lines(tmp_path / f"{name}.jsonl", row) for name in ("ann", "bob")]
    rows = [{"text": "Fry.", "topics": "cooking", "annotation_id": 1, "annotator": 7}]
    paths.append(write_lines(tmp_path / "min.json", json.dumps(rows)))
    names = Names(TAXONOMY, {})
    located = read_annotations(paths, None, Columns(), names, annotator)
    assert [annotation.annotator for _, annotation in located] == expected
    alone = read_annotations(paths[:1], "doccano", Columns(), names)
    assert alone[0][1].annotator == ""
