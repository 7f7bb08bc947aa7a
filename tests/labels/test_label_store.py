"""What several label files have in common, and the raw articles beside them."""

from __future__ import annotations

import pytest
from archive_samples import reference_fields
from samples import TAXONOMY, record, write_lines

from topicml.errors import LabelError
from topicml.labels.references import ReferenceCount
from topicml.labels.store import (
    check_topics,
    count_references,
    read_label_file,
    read_label_files,
    read_raw_articles,
)
from topicml.labels.texts import sha1_of, write_texts


def test_files_are_read_in_the_order_given(tmp_path):
    one = write_lines(tmp_path / "one.jsonl", {"id": "x", "text": "a", "topics": ["cooking"]})
    two = write_lines(tmp_path / "two.jsonl", {"id": "y", "text": "b", "topics": []})
    files = read_label_files([two, one], TAXONOMY)
    assert [(f.path, [r.id for r in f.records]) for f in files] == [(two, ["y"]), (one, ["x"])]


def test_duplicate_id_within_one_file_is_refused(tmp_path):
    row = {"id": "x", "text": "a", "topics": []}
    path = write_lines(tmp_path / "one.jsonl", row, row)
    with pytest.raises(LabelError, match="duplicate id 'x'") as caught:
        read_label_files([path], TAXONOMY)
    assert caught.value.where == str(path)


def test_unknown_topic_in_records_is_placed_by_file_and_id(tmp_path):
    path = tmp_path / "train.jsonl"
    records = [record("s-1", "one", "cooking"), record("s-2", "two", "gardning")]
    with pytest.raises(LabelError) as caught:
        check_topics(records, TAXONOMY, path)
    assert caught.value.what == "unknown topic 'gardning'"
    assert caught.value.where == f"{path} (id 's-2')"
    assert "Did you mean 'gardening'?" in caught.value.hint


def test_known_topics_and_the_empty_set_pass(tmp_path):
    check_topics([record("1", "one", "cooking"), record("2", "two")], TAXONOMY, tmp_path)


def test_raw_articles_are_those_of_the_manifest_line_ends_kept(tmp_path):
    (tmp_path / "one.txt").write_bytes(b"Sow\r\nseeds.")
    (tmp_path / "other.txt").write_text("not listed")
    (tmp_path / "manifest.json").write_text('[{"id": "a", "file": "one.txt"}]')
    assert read_raw_articles(tmp_path) == {"a": "Sow\r\nseeds."}


def test_folder_without_a_manifest_has_no_raw_articles(tmp_path):
    assert read_raw_articles(tmp_path) == {}


def test_article_that_is_gone_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('[{"id": "a", "file": "gone.txt"}]')
    with pytest.raises(LabelError, match="raw articles cannot be read") as caught:
        read_raw_articles(tmp_path)
    assert caught.value.where == str(tmp_path / "manifest.json")


def test_labels_by_reference_are_joined_with_the_texts_that_are_here(tmp_path):
    here, gone = reference_fields("a", "Fry it.", "cooking"), reference_fields("b", "Sow it.")
    quoted = {"id": "c", "text": "Read it.", "topics": []}
    path = write_lines(tmp_path / "real.jsonl", here, gone, quoted)
    write_texts(path, {sha1_of("Fry it."): "Fry it."})
    file = read_label_file(path)
    assert [(r.id, r.text, r.source, r.line) for r in file.records] == [
        ("a", "Fry it.", "archive", 1),
        ("c", "Read it.", "article", 3),
    ]
    assert file.records[0].article == "owner/papers/notes/one.md"
    assert [label.id for label in file.without_text] == ["b"]
    assert file.references == ReferenceCount(labels=2, with_text=1)


def test_labels_by_reference_without_any_texts_are_all_left_out(tmp_path):
    path = write_lines(tmp_path / "real.jsonl", reference_fields("a", "Fry it."))
    file = read_label_file(path)
    assert (file.records, len(file.without_text)) == ((), 1)
    assert count_references([file, file]).note() == (
        "2 labels by reference; texts of 0 are here: run topicml labels fetch"
    )


def test_unknown_topic_and_duplicate_id_are_found_without_texts(tmp_path):
    path = write_lines(tmp_path / "real.jsonl", reference_fields("a", "Fry it.", "cookin"))
    with pytest.raises(LabelError, match="unknown topic 'cookin'") as caught:
        read_label_files([path], TAXONOMY)
    assert caught.value.where == f"{path}:1"
    twice = reference_fields("a", "Fry it.")
    path = write_lines(tmp_path / "real.jsonl", twice, twice)
    with pytest.raises(LabelError, match="duplicate id 'a'"):
        read_label_files([path], TAXONOMY)
