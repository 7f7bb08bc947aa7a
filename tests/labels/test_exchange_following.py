"""Annotators imported one after another into one label file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from archive_samples import reference_fields
from samples import TAXONOMY, record, write_lines

from topicml.errors import LabelError
from topicml.labels.annotations import AnnotationStore
from topicml.labels.exchange.annotation import ForeignAnnotation
from topicml.labels.exchange.importing import Change, plan_change, write_change
from topicml.labels.exchange.merge import Rules, merge
from topicml.labels.exchange.names import Names
from topicml.labels.records import Annotation, LabelRecord, read_labels, write_labels
from topicml.labels.store import read_as_written
from topicml.labels.texts import sha1_of, write_texts

COOKING, NONE = ("cooking",), ()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.jsonl"


def take_in(
    path: Path,
    annotator: str,
    labels: tuple[str, ...],
    exported: LabelRecord | None = None,
    *,
    force: bool = False,
) -> Change:
    one = ForeignAnnotation(1, "Fry.", labels, id="s", annotator=annotator, exported=exported)
    rules = Rules(Names(TAXONOMY, {}), "new")
    change = plan_change(merge([(Path(f"{annotator}.jsonl"), one)], rules), path, append=True)
    write_change(change, force=force)
    return change


def label(path):
    (found,) = read_labels(path)
    return found.topics, found.status, found.annotator


def stored(path):
    store = AnnotationStore(path.parent / "annotations")
    return [(one.annotator, one.topics) for one in store.read()]


def test_labels_follow_what_all_annotators_say(path):
    take_in(path, "ann", COOKING)
    assert label(path) == (COOKING, "single", "ann")
    change = take_in(path, "bob", NONE)
    assert label(path) == (NONE, "skipped", "ann, bob")
    assert change.merged.disagreements == ["s"]
    change = take_in(path, "ann", NONE)
    assert label(path) == (NONE, "gold", "ann, bob")
    assert change.merged.disagreements == []
    assert stored(path) == [("ann", COOKING), ("bob", NONE), ("ann", NONE)]
    take_in(path, "ann", NONE)
    assert len(stored(path)) == 3
    assert {one.scheme for one in AnnotationStore(path.parent / "annotations").read()} == {
        TAXONOMY.version
    }


def test_a_label_by_one_annotator_is_a_reading_and_the_rest_of_it_stays(path):
    there = replace(record("s", "Fry.", "cooking", round=3), annotator="ann", status="single")
    write_labels(path, [there])
    take_in(path, "bob", COOKING)
    assert read_labels(path) == [replace(there, annotator="ann, bob", status="gold")]
    assert stored(path) == [("ann", COOKING), ("bob", COOKING)]


def test_what_was_adjudicated_stays(path):
    take_in(path, "ann", COOKING)
    store = AnnotationStore(path.parent / "annotations")
    store.append([Annotation("s", NONE, "kim", adjudicated=True, sha1=sha1_of("Fry."))])
    take_in(path, "bob", COOKING)
    assert label(path) == (NONE, "gold", "kim")


@pytest.mark.parametrize("there", [{"status": "gold"}, {"status": "single", "annotator": ""}])
def test_a_label_that_no_annotations_explain_is_changed_only_with_force(path, there):
    write_labels(path, [replace(record("s", "Fry.", "cooking"), **there)])
    before = path.read_bytes()
    with pytest.raises(LabelError, match="other labels or annotators are there for 's'"):
        take_in(path, "bob", NONE)
    assert path.read_bytes() == before
    take_in(path, "bob", NONE, force=True)
    assert label(path) == (NONE, "single", "bob")


def test_a_correction_of_what_was_exported_takes_its_place_with_force(path):
    there = replace(record("s", "Fry.", "cooking"), annotator="ann", status="single")
    write_labels(path, [there])
    with pytest.raises(LabelError, match="--force"):
        take_in(path, "bob", NONE, exported=there)
    take_in(path, "bob", NONE, exported=there, force=True)
    assert label(path) == (NONE, "single", "bob")


def test_a_sentence_exported_without_a_label_is_read_by_each(path):
    there = replace(record("s", "Fry."), status="skipped")
    write_labels(path, [there])
    take_in(path, "ann", COOKING, exported=there)
    take_in(path, "bob", COOKING, exported=there)
    assert label(path) == (COOKING, "gold", "ann, bob")


def test_a_label_by_reference_follows_and_stays_one(path):
    fields = reference_fields("s", "Fry.", "cooking", annotator="ann", status="single")
    write_lines(path, fields)
    write_texts(path, {sha1_of("Fry."): "Fry."})
    take_in(path, "bob", NONE)
    (found,) = read_as_written(path)
    assert (found.topics, found.status, found.annotator) == (NONE, "skipped", "ann, bob")
    assert found.pointer.sha1 == sha1_of("Fry.")
