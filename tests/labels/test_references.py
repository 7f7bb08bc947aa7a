from __future__ import annotations

import json

import pytest
from archive_samples import FRY, reference_fields
from samples import record, write_lines

from topicml.errors import LabelError
from topicml.labels.references import (
    Pointer,
    ReferenceCount,
    check_known,
    is_reference,
    read_references,
)
from topicml.labels.texts import sha1_of


def read(tmp_path, **fields):
    return read_references(
        write_lines(tmp_path / "real.jsonl", reference_fields("a", FRY) | fields)
    )


def test_reference_is_read_with_its_line(tmp_path):
    fields = {"topics": ["b", "a"], "unsure": True, "chosen": "random", "status": "gold"}
    (label,) = read(tmp_path, **fields)
    assert label.pointer == Pointer("owner/papers", "notes/one.md", 8, 22, sha1_of(FRY))
    assert (label.topics, label.unsure, label.chosen) == (("a", "b"), True, "random")
    assert (label.status, label.annotator, label.line) == ("gold", "tester", 1)


def test_status_is_single_and_nothing_else_is_said_by_default(tmp_path):
    fields = reference_fields("a", FRY)
    for key in ("status", "annotator"):
        del fields[key]
    (label,) = read_references(write_lines(tmp_path / "real.jsonl", fields))
    assert (label.status, label.annotator, label.unsure, label.chosen) == ("single", "", False, "")


def test_line_written_again_is_the_same_with_sorted_keys(tmp_path):
    fields = reference_fields("a", FRY, "x", unsure=True, chosen="low")
    (label,) = read(tmp_path, **fields)
    assert label.to_json() == json.dumps(fields, sort_keys=True)
    assert "unsure" not in read(tmp_path)[0].to_json()


def test_record_with_its_text_is_no_reference(tmp_path):
    assert not is_reference(reference_fields("a", FRY) | {"text": FRY})
    assert not is_reference({"id": "a", "topics": []})
    assert read(tmp_path, text=FRY) == []


@pytest.mark.parametrize(("chosen", "expected"), [("random", "random"), ("", None)])
def test_record_says_why_it_was_chosen(tmp_path, chosen, expected):
    (label,) = read(tmp_path, chosen=chosen)
    assert label.with_text(FRY).chosen == expected


def test_text_makes_it_a_record_of_the_documents_group(tmp_path):
    (label,) = read(tmp_path)
    assert label.with_text(FRY) == record(
        *("a", FRY),
        article="owner/papers/notes/one.md",
        source="archive",
        annotator="tester",
        status="single",
        start=8,
        end=30,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", "owner"),
        ("repository", "../papers"),
        ("repository", "owner/papers/more"),
        ("repository", "-o/papers"),
        ("repository", None),
        ("path", "../one.md"),
        ("path", "notes/../../one.md"),
        ("path", "/etc/passwd"),
        ("path", "./one.md"),
        ("path", "notes//one.md"),
        ("path", "notes\\one.md"),
        ("path", "one.md\nHEAD:two.md"),
        ("path", "one\x00.md"),
        ("path", ""),
        ("start", -1),
        ("start", 10**12),
        ("start", 1.5),
        ("start", True),
        ("start", None),
        ("length", 0),
        ("length", 10**9),
        ("length", "5"),
        ("sha1", "abc"),
        ("sha1", "G" * 40),
        ("sha1", "A" * 40),
        ("sha1", 1),
        ("unsure", "yes"),
        ("status", "sure"),
        ("topics", None),
    ],
)
def test_malformed_reference_is_named_by_line_and_field(tmp_path, key, value):
    path = write_lines(
        tmp_path / "real.jsonl",
        reference_fields("a", FRY),
        reference_fields("b", FRY) | {key: value},
    )
    with pytest.raises(LabelError, match=f"'{key}'") as caught:
        read_references(path)
    assert caught.value.where == f"{path}:2"
    assert caught.value.hint


def test_unknown_archive_is_named_with_those_known(tmp_path):
    (label,) = read(tmp_path)
    check_known(label, ["owner/papers"], tmp_path)
    with pytest.raises(LabelError, match="unknown archive 'owner/papers'") as caught:
        check_known(label, ["owner/talks"], tmp_path)
    assert caught.value.where == f"{tmp_path}:1"
    assert "owner/talks" in caught.value.hint


def test_counts_add_up_and_tell_what_is_missing():
    count = ReferenceCount(8000, 3000) + ReferenceCount(207, 7)
    assert count.note() == (
        "8,207 labels by reference; texts of 3,007 are here: run topicml labels fetch"
    )
    assert ReferenceCount(5, 5).note() == ReferenceCount().note() == ""
