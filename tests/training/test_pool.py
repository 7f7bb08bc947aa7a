from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import write_lines

from topicml.errors import InputError
from topicml.io.records import Fields, ReadOptions
from topicml.training.pool import read_pool

READING = ReadOptions()
FRY = "Fry the onions in butter."
SOW = "Sow the seeds in moist soil."
BAKE = "Bake the bread in a hot oven."


def write_pool(folder):
    """Write a file of two articles and one of plain text."""
    path = write_lines(
        folder / "pool.jsonl",
        {"id": "one", "text": f"{FRY} {SOW}"},
        {"id": "two", "text": f"{SOW} {BAKE}"},
    )
    (folder / "notes.txt").write_text(f"{BAKE}\n\nPrune the hedge in early spring.\n", "utf-8")
    return [str(path), str(folder / "notes.txt")]


def test_sentences_of_all_inputs_are_there_once_with_their_first_document(tmp_path):
    inputs = write_pool(tmp_path)
    pool = read_pool(inputs, READING)
    assert pool.texts == (FRY, SOW, BAKE, "Prune the hedge in early spring.")
    assert pool.documents == ("one", "one", "two", inputs[1])
    assert len(pool) == 4


def test_folder_and_glob_are_inputs(tmp_path):
    write_pool(tmp_path)
    assert set(read_pool([str(tmp_path)], READING).texts) == {
        *read_pool([f"{tmp_path}/*.jsonl"], READING).texts,
        "Prune the hedge in early spring.",
    }


@pytest.mark.parametrize(
    ("length", "is_read"), [(19, False), (20, True), (600, True), (601, False)]
)
def test_sentences_of_20_to_600_characters_are_read(tmp_path, length, is_read):
    texts = ["x" * (length - 1) + ".", FRY]
    rows = [{"id": str(n), "text": text} for n, text in enumerate(texts)]
    path = write_lines(tmp_path / "pool.jsonl", *rows)
    expected = tuple(texts) if is_read else (FRY,)
    assert read_pool([str(path)], READING, unit="sentence").texts == expected
    assert read_pool([str(path)], READING).texts == expected


def test_text_can_be_taken_as_one_sentence(tmp_path):
    inputs = write_pool(tmp_path)[:1]
    pool = read_pool(inputs, READING, unit="sentence")
    assert pool.texts == (f"{FRY} {SOW}", f"{SOW} {BAKE}")
    assert pool.documents == ("one", "two")


def test_sentences_are_as_they_are_scored(tmp_path):
    text = "Fry the on-\nions in hot but\u00adter."
    path = write_lines(tmp_path / "pool.jsonl", {"id": "1", "text": text}, {"id": "2", "text": FRY})
    assert read_pool([str(path)], READING).texts == ("Fry the onions in hot butter.", FRY)


def test_labelled_sentences_are_left_out(tmp_path):
    pool = read_pool(write_pool(tmp_path), READING, without=[SOW, "Not there at all, this one."])
    assert SOW not in pool.texts
    assert pool.texts[:2] == (FRY, BAKE)
    assert pool.documents[:2] == ("one", "two")


def many_sentences(folder):
    rows = [{"id": f"d{n}", "text": f"Sentence number {n} of the pool."} for n in range(50)]
    return [str(write_lines(folder / "many.jsonl", *rows))]


def test_drawing_is_seeded_and_keeps_text_and_document_together(tmp_path):
    inputs = many_sentences(tmp_path)
    pool = read_pool(inputs, READING, count=10, seed=1)
    assert pool == read_pool(inputs, READING, count=10, seed=1)
    assert set(pool.texts) != set(read_pool(inputs, READING, count=10, seed=2).texts)
    assert len(set(pool.texts)) == len(pool) == 10
    for text, document in zip(pool.texts, pool.documents, strict=True):
        assert text == f"Sentence number {document[1:]} of the pool."


@pytest.mark.parametrize("count", [50, 51, None])
def test_all_are_there_in_order_where_no_fewer_are_asked_for(tmp_path, count):
    pool = read_pool(many_sentences(tmp_path), READING, count=count)
    assert pool.documents == tuple(f"d{n}" for n in range(50))


@given(count=st.integers(1, 60), seed=st.integers(0, 1000))
def test_no_more_are_drawn_than_asked_for(tmp_path_factory, count, seed):
    inputs = many_sentences(tmp_path_factory.mktemp("pool"))
    pool = read_pool(inputs, READING, count=count, seed=seed)
    assert len(pool) == len(set(pool.texts)) == min(count, 50)


def test_labelled_sentences_are_never_drawn(tmp_path):
    inputs = many_sentences(tmp_path)
    labelled = [f"Sentence number {n} of the pool." for n in range(30)]
    pool = read_pool(inputs, READING, without=labelled, count=20)
    assert not set(pool.texts) & set(labelled)
    assert len(pool) == 20


def test_fields_of_records_can_be_named(tmp_path):
    path = write_lines(tmp_path / "pool.jsonl", {"key": "a", "body": FRY, "text": SOW})
    pool = read_pool([str(path)], ReadOptions(Fields(text="body", id="key")))
    assert (pool.texts, pool.documents) == ((FRY,), ("a",))


def test_records_that_cannot_be_read_are_told_of_and_left_out(tmp_path):
    path = write_lines(tmp_path / "pool.jsonl", {"id": "1", "text": FRY}, "{", {"text": 3})
    told = []
    pool = read_pool([str(path)], READING, on_note=told.append)
    assert pool.texts == (FRY,)
    assert len(told) == 2
    assert told[0].startswith(f"rejected: {path}:2 ")
    assert told[1].startswith(f"rejected: {path}:3 ")


def test_files_that_are_no_articles_are_told_of(tmp_path):
    write_pool(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    told = []
    read_pool([str(tmp_path)], READING, on_note=told.append)
    assert len(told) == 1
    assert "not read in folders" in told[0]
    assert ".png" in told[0]


def test_missing_input_is_an_error(tmp_path):
    path = tmp_path / "none.jsonl"
    with pytest.raises(InputError) as caught:
        read_pool([*write_pool(tmp_path), str(path)], READING)
    assert str(path) in str(caught.value)


def test_input_without_the_field_is_an_error(tmp_path):
    with pytest.raises(InputError) as caught:
        read_pool(write_pool(tmp_path)[:1], ReadOptions(Fields(text="body")))
    assert "body" in str(caught.value)


@pytest.mark.parametrize("without", [(), (FRY,)], ids=["all too short", "all labelled"])
def test_inputs_without_a_sentence_are_an_error(tmp_path, without):
    text = FRY if without else "Too short."
    path = write_lines(tmp_path / "pool.jsonl", {"id": "1", "text": text})
    with pytest.raises(InputError) as caught:
        read_pool([str(path)], READING, without=without)
    assert caught.value.what == "no sentence in any input"
    assert "--pool" in caught.value.hint
