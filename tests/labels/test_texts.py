from __future__ import annotations

import json

import pytest

from topicml.errors import LabelError, OutputError
from topicml.labels.texts import read_texts, sha1_of, texts_path, write_texts

TEXTS = {sha1_of(text): text for text in ("Fry it.", "Säe es.", "Water\u2028it.")}


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "real.jsonl"


def test_sha1_is_of_the_text_in_utf_8():
    assert sha1_of("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert sha1_of("é") != sha1_of("e")


def test_texts_come_back_and_stand_beside_the_labels(labels):
    path = write_texts(labels, TEXTS)
    assert path == texts_path(labels) == labels.parent / ".text/real.jsonl"
    assert read_texts(labels, TEXTS) == TEXTS


def test_only_texts_that_are_wanted_are_read(labels):
    write_texts(labels, TEXTS)
    (wanted, *_) = TEXTS
    assert read_texts(labels, [wanted]) == {wanted: TEXTS[wanted]}


def test_there_are_none_where_nothing_was_fetched(labels):
    assert read_texts(labels, TEXTS) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: json.dumps({**json.loads(line), "text": "Burn it."}),
        lambda line: json.dumps({**json.loads(line), "text": 7}),
        lambda line: json.dumps({**json.loads(line), "text": "\ud800"}),
        lambda line: line[:-5],
        lambda line: "[" * 100_000 + line,
        lambda line: json.dumps([line]),
    ],
)
def test_changed_line_is_a_text_that_is_not_here(labels, damage):
    path = write_texts(labels, TEXTS)
    first, *others = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    path.write_text("\n".join([damage(first), *others]) + "\n", encoding="utf-8")
    assert read_texts(labels, TEXTS) == {
        sha1: text for sha1, text in TEXTS.items() if sha1 != json.loads(first)["sha1"]
    }


def test_text_under_the_sha1_of_another_is_not_that_other(labels):
    (one, other, _) = TEXTS
    write_texts(labels, {one: TEXTS[other]})
    assert read_texts(labels, [one]) == {}


def test_file_that_cannot_be_read_is_named(labels):
    texts_path(labels).mkdir(parents=True)
    with pytest.raises(LabelError, match="directory") as caught:
        read_texts(labels, TEXTS)
    assert caught.value.where == str(texts_path(labels))
    assert "labels fetch" in caught.value.hint


def test_folder_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_texts(tmp_path / "nowhere/real.jsonl", TEXTS)
