"""Copies are told whatever document they stand in, and are never on both sides of a fold."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from backgrounds import home_background
from samples import TAXONOMY, home_records

from topicml.errors import TrainingError
from topicml.training.copies import find_copies, join_copied_groups
from topicml.training.cross_validation import splits_of
from topicml.training.dataset import make_dataset
from topicml.training.evaluation import cross_validated_predictions
from topicml.training.features import Parameters

QUICK = Parameters(char_ngrams=None)
FOOTER = "Read all of it in the Saturday paper that comes to your door."


def doubled(records, change=str):
    """Return labels and, under other names, all of them once more."""
    again = (
        replace(r, id=f"{r.id}-2", article=f"copy of {r.article}", text=change(r.text))
        for r in records
    )
    return [*records, *again]


def test_copies_are_told_whatever_their_case_and_white_space():
    texts = ["Fry the onions.", "Sow it.", " fry  the ONIONS. ", "?!", "...", "?!"]
    assert find_copies(texts).tolist() == [0, 1, 0, 2, 3, 2]


def test_near_copies_of_near_copies_are_copies():
    words = [f"w{n}" for n in range(12)]
    texts = [" ".join(words[n : n + 8]) for n in range(3)]  # two neighbours share 7 of 9 words
    assert find_copies([*texts, "none of these"]).tolist() == [0, 0, 0, 1]
    assert find_copies([]).tolist() == []


@pytest.mark.parametrize("change", [str, str.upper, lambda text: f"{text} Indeed so."])
def test_doubled_labels_give_the_figures_of_the_labels(change):
    """Labels that follow no pattern are known only to who has seen them."""
    topics = [r.topics for r in home_records()]
    random.Random(0).shuffle(topics)  # noqa: S311
    records = [replace(r, topics=own) for r, own in zip(home_records(), topics, strict=True)]
    data, twice = (make_dataset(r, TAXONOMY) for r in (records, doubled(records, change)))
    assert len(set(twice.groups.tolist())) == 4
    once, found = (
        cross_validated_predictions(d, "article", QUICK).evaluate().headlines["micro_f1"].value
        for d in (data, twice)
    )
    assert abs(found - once) < 0.1
    assert found < 0.75  # with the copies to learn from it is 1


def test_documents_that_share_a_line_stay_apart_and_do_not_learn_it_from_each_other():
    records = [
        *home_records(),
        *(
            replace(home_records()[0], id=f"{g}-x", article=g, text=FOOTER)
            for g in ("spring", "summer", "autumn", "winter")
        ),
    ]
    data = make_dataset(records, TAXONOMY)
    assert set(data.groups.tolist()) == {"spring", "summer", "autumn", "winter"}
    for train, test in data.article_splits():
        assert FOOTER in [data.texts[n] for n in test]
        assert FOOTER not in [data.texts[n] for n in train]
        assert len(train) == 24


@pytest.mark.parametrize("background", [None, home_background()])
def test_no_fold_has_a_copy_on_both_sides(background):
    data = make_dataset(doubled(home_records())[:40], TAXONOMY)  # spring is there twice
    apart_from = replace(data, groups=np.array([r.article for r in doubled(home_records())[:40]]))
    for train, test in splits_of(apart_from, background):
        assert not set(apart_from.copies[train]) & set(apart_from.copies[test])
    for train, test in apart_from.article_splits():
        assert not set(apart_from.copies[train]) & set(apart_from.copies[test])


def test_half_of_both_documents_makes_them_one():
    copies = np.array([0, 1, 2, 3, 0, 1, 4, 5, 0, 6])
    groups = np.array(["b", "b", "b", "b", "a", "a", "a", "a", "c", "c"])
    # of four each, b and a share two; c shares one of its two, which is one of four of theirs
    joined = join_copied_groups(groups, copies)
    assert joined.tolist() == ["a"] * 8 + ["c"] * 2


def test_copies_of_one_article_are_one_article():
    records = [
        replace(r, id=f"{r.id}-{n}", article=str(n)) for n in range(3) for r in home_records()[:8]
    ]
    with pytest.raises(TrainingError, match="1 article is too few"):
        cross_validated_predictions(make_dataset(records, TAXONOMY), "article", QUICK)
