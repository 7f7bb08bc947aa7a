from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from archive_samples import reference_fields
from samples import SENTENCES, TAXONOMY, apart, home_dataset, home_records, write_lines

from topicml.errors import LabelError, TrainingError
from topicml.labels.records import write_labels
from topicml.labels.texts import sha1_of, write_texts
from topicml.training.dataset import load_dataset, make_dataset


def test_indicator_matrix_says_what_the_records_say():
    data = home_dataset()
    expected = [
        [topic in record.topics for topic in ("cooking", "gardening")] for record in home_records()
    ]
    assert data.topics == ("cooking", "gardening")
    assert data.Y.tolist() == expected
    assert list(data.texts) == [record.text for record in home_records()]
    assert len(data) == 32


def test_sentence_without_a_topic_is_a_row_of_zeros_and_not_left_out():
    data = home_dataset()
    row = data.texts.index("The museum opens at nine.")
    assert data.Y[row].tolist() == [0, 0]


def test_skipped_sentences_are_left_out():
    first, second, *rest = home_records()
    data = make_dataset([replace(first, status="skipped"), second, *rest], TAXONOMY)
    assert len(data) == 31
    assert first.text not in data.texts


def test_sentences_chosen_at_random_are_the_drawn_ones():
    first, second, third, *rest = home_records()
    chosen = [replace(first, chosen="random"), replace(second, chosen="low"), third]
    data = make_dataset([*chosen, *rest], TAXONOMY)
    assert data.drawn.dtype == np.bool_
    assert np.flatnonzero(data.drawn).tolist() == [0]


def test_authored_sentences_are_not_articles():
    data = home_dataset(authored=("winter",))
    assert set(data.groups[~data.articles].tolist()) == {"winter"}
    assert data.articles.sum() == 24


@pytest.mark.parametrize("rows", [[5, 2, 20], np.arange(32) % 3 == 0])
def test_subset_picks_the_same_rows_of_everything(rows):
    data = replace(home_dataset(authored=("winter",)), drawn=np.arange(32) % 5 == 0)
    picked = data.subset(np.array(rows))
    originals = np.arange(32)[np.array(rows)]
    assert picked.texts == tuple(data.texts[i] for i in originals)
    assert picked.Y.tolist() == data.Y[originals].tolist()
    assert picked.groups.tolist() == data.groups[originals].tolist()
    assert picked.articles.tolist() == data.articles[originals].tolist()
    assert picked.drawn.tolist() == data.drawn[originals].tolist()
    assert picked.topics == data.topics


def test_article_splits_leave_out_each_real_article_once():
    data = home_dataset(authored=("winter",))
    splits = list(data.article_splits())
    assert [set(data.groups[test].tolist()) for _, test in splits] == [
        {"autumn"},
        {"spring"},
        {"summer"},
    ]
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(32))
        assert "winter" in data.groups[train]


def test_dataset_without_a_real_article_has_no_article_splits():
    assert list(home_dataset(authored=tuple(SENTENCES)).article_splits()) == []


@pytest.mark.parametrize(("folds", "expected"), [(2, 2), (3, 3), (4, 4), (5, 4)])
def test_grouped_splits_test_every_row_once_and_never_split_a_group(folds, expected):
    data = home_dataset()
    splits = data.grouped_splits(folds)
    assert len(splits) == expected
    assert sorted(row for _, test in splits for row in test) == list(range(32))
    for train, test in splits:
        assert not set(data.groups[train]) & set(data.groups[test])
        assert len(train) + len(test) == 32


def test_grouped_splits_are_the_same_each_time():
    first, second = home_dataset().grouped_splits(3), home_dataset().grouped_splits(3)
    assert [test.tolist() for _, test in first] == [test.tolist() for _, test in second]


def test_one_group_cannot_be_cross_validated():
    with pytest.raises(TrainingError) as caught:
        home_dataset().subset(np.arange(8)).grouped_splits()
    assert caught.value.what == "all 8 sentences belong to one article"
    assert caught.value.where is None
    assert "label at least two" in caught.value.hint


def test_files_are_read_one_after_the_other(tmp_path):
    paths = [tmp_path / "b.jsonl", tmp_path / "a.jsonl"]
    records = home_records()
    write_labels(paths[0], records[:20])
    write_labels(paths[1], records[20:])
    data = load_dataset(paths, TAXONOMY)
    assert data.texts == home_dataset().texts
    assert data.Y.tolist() == home_dataset().Y.tolist()


def test_no_label_file_is_refused():
    with pytest.raises(LabelError) as caught:
        load_dataset([], TAXONOMY)
    assert caught.value.what == "no label files"
    assert caught.value.where is None
    assert "--labels" in caught.value.hint


def skipped_record():
    return {"id": "1", "text": "t", "topics": [], "status": "skipped"}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="empty file"),
        pytest.param([skipped_record()], id="all skipped"),
    ],
)
def test_files_without_a_labelled_sentence_are_refused(tmp_path, lines):
    path = write_lines(tmp_path / "a.jsonl", *lines)
    with pytest.raises(LabelError) as caught:
        load_dataset([path], TAXONOMY)
    assert caught.value.what == "no labelled sentences"
    assert caught.value.where == str(path)
    assert caught.value.hint == "Label some."


def test_id_in_two_files_is_refused_with_both_files(tmp_path):
    one = write_lines(tmp_path / "one.jsonl", {"id": "x", "text": "a", "topics": []})
    two = write_lines(tmp_path / "two.jsonl", {"id": "x", "text": "b", "topics": []})
    with pytest.raises(LabelError) as caught:
        load_dataset([one, two], TAXONOMY)
    assert caught.value.what == f"duplicate id 'x', first in {one}"
    assert caught.value.where == str(two)
    assert "rename or remove one" in caught.value.hint


def test_unknown_topic_is_refused_with_file_and_suggestion(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"id": "x", "text": "a", "topics": ["gardning"]})
    with pytest.raises(LabelError) as caught:
        load_dataset([path], TAXONOMY)
    assert caught.value.what == "unknown topic 'gardning'"
    assert caught.value.where.startswith(str(path))
    assert "Did you mean 'gardening'?" in caught.value.hint


def many_documents(count):
    """Return authored sentences, and two to four of each of some documents."""
    real = [
        replace(
            r,
            id=f"{d}-{r.id}",
            text=apart(r.text, f"d{d}n"),
            article=f"owner/papers/{d:02d}.md",
            source="archive",
        )
        for d in range(count)
        for r in home_records()[: 2 + d % 3]
    ]
    return make_dataset([*home_records(authored=tuple(SENTENCES)), *real], TAXONOMY)


def test_many_documents_are_left_out_a_fifth_at_a_time():
    data = many_documents(11)
    assert data.has_many_documents
    splits = list(data.article_splits())
    assert len(splits) == 5
    tested = np.concatenate([test for _, test in splits])
    assert sorted(tested) == np.flatnonzero(data.articles).tolist()
    for train, test in splits:
        assert not set(data.groups[train]) & set(data.groups[test])
        assert set(np.flatnonzero(~data.articles)) <= set(train.tolist())
        assert sorted([*train, *test]) == list(range(len(data)))


def test_ten_documents_are_left_out_one_at_a_time():
    data = many_documents(10)
    assert not data.has_many_documents
    assert len(list(data.article_splits())) == 10


def test_sentences_of_articles_and_archives_are_real_text():
    data = many_documents(1)
    assert set(data.sources[data.articles].tolist()) == {"archive"}
    assert set(data.sources[~data.articles].tolist()) == {"authored"}
    assert home_dataset().articles.all()


def test_labels_without_text_are_left_out_and_told_of(tmp_path):
    rows = [reference_fields("a", "Fry it.", "cooking"), reference_fields("b", "Sow it.")]
    path = write_lines(tmp_path / "real.jsonl", *rows)
    write_texts(path, {sha1_of("Fry it."): "Fry it."})
    told = []
    data = load_dataset([path], TAXONOMY, told.append)
    assert (data.texts, data.groups.tolist()) == (("Fry it.",), ["owner/papers/notes/one.md"])
    assert told == ["2 labels by reference; texts of 1 are here: run topicml labels fetch"]


def test_no_text_at_all_is_an_error_that_says_what_to_do(tmp_path):
    path = write_lines(tmp_path / "real.jsonl", reference_fields("a", "Fry it.", "cooking"))
    with pytest.raises(LabelError, match="no labelled sentences") as caught:
        load_dataset([path], TAXONOMY)
    assert "run topicml labels fetch" in caught.value.hint
