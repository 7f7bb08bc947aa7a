from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from samples import home_dataset
from scipy import sparse

from topicml.labels.checks import near_duplicates
from topicml.labels.records import label_record as read_record
from topicml.tagging.tagger import Tagger
from topicml.tagging.thresholds import Thresholds, choose_thresholds
from topicml.text.document import Document
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model
from topicml.training.label_queue import (
    STRATEGIES,
    Candidates,
    Place,
    choose_next,
    confidence_of,
    entropy_of,
    gather,
    label_record,
    pick,
)

DATA = home_dataset()
TEXT = (
    "Boil the potatoes in salt water for an hour. Water the roses by the fence at dusk. "
    "Boil the potatoes in salt water for an hour! The museum was late again on Sunday. "
    "Fermented miso needs koji, patience and a cellar. Bake it. Leave a reply\n\n"
    "Der Zug ist heute wieder nicht pünktlich, und das ist nicht schön. "
    "Water the green roses by the fence at dusk. Fry the onions in butter until they are golden."
)
DOCUMENTS = [Document("one", TEXT), Document("two", "Boil the potatoes in salt water for an hour.")]


@pytest.fixture(scope="module")
def scorer():
    fitted = fit_model(DATA, Parameters())
    return make_scorer(fitted.pipeline, DATA.topics, fitted.decision)


@pytest.fixture(scope="module")
def gathered(scorer):
    return gather([Tagger(scorer, "home@1.0.0").tag(DOCUMENTS)], DATA.texts)


def chosen(scorer, gathered, labelled=DATA.texts, **options):
    candidates, _ = gathered
    queued = choose_next(candidates, labelled, choose_thresholds(scorer), scorer.blocks, **options)
    return [candidates.texts[one.row] for one in queued], queued


def test_what_is_not_worth_a_label_is_left_out_and_counted(gathered):
    candidates, left_out = gathered
    assert left_out == {
        "length": 1,
        "boilerplate": 1,
        "not_english": 1,
        "labelled": 1,
        "repeated": 1,
    }
    for text, place in zip(candidates.texts, candidates.places, strict=True):
        document = next(one for one in DOCUMENTS if one.id == place.document)
        assert document.text[place.start : place.end] == text
    assert candidates.probabilities.shape == (len(candidates), len(DATA.topics))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_queue_has_no_near_copies_and_is_the_same_again(scorer, gathered, strategy):
    texts, queued = chosen(scorer, gathered, strategy=strategy)
    assert len(texts) == 4
    assert near_duplicates(texts) == []
    assert chosen(scorer, gathered, strategy=strategy)[1] == queued
    assert chosen(scorer, gathered, strategy=strategy, limit=2)[1] == queued[:2]


def test_near_copies_of_labelled_sentences_are_passed_over(scorer, gathered):
    labelled = [*DATA.texts, "Water all the roses by the fence at dusk."]
    assert not any("roses" in text for text in chosen(scorer, gathered, labelled)[0])


def test_novelty_puts_unknown_words_first_and_names_them(scorer, gathered):
    (text,), (queued,) = chosen(scorer, gathered, strategy="novelty", limit=1)
    assert text.startswith("Fermented miso")
    assert {"fermented", "miso"} <= {*queued.new}
    assert 0.5 < queued.novelty <= 1


def test_measures_order_the_queue(scorer, gathered):
    for strategy, measure, sign in [("entropy", "entropy", -1), ("confidence", "confidence", 1)]:
        values = [
            sign * getattr(one, measure) for one in chosen(scorer, gathered, strategy=strategy)[1]
        ]
        assert values == sorted(values)


def test_margin_names_the_topic_nearest_to_its_threshold(scorer, gathered):
    _, queued = chosen(scorer, gathered, strategy="margin")
    candidates, _ = gathered
    for one in queued:
        own = candidates.probabilities[one.row]
        distance = np.abs(own - scorer.thresholds)
        assert one.nearest.topic == distance.argmin()
        assert one.nearest.probability == own[one.nearest.topic]
        assert one.nearest.threshold == scorer.thresholds[one.nearest.topic]


def test_random_order_depends_on_the_seed(scorer, gathered):
    orders = {tuple(chosen(scorer, gathered, strategy="random", seed=seed)[0]) for seed in range(6)}
    assert len(orders) > 1


def test_a_share_is_drawn_at_random_and_the_others_are_those_that_are_left(scorer, gathered):
    for seed in range(4):
        texts, queued = chosen(scorer, gathered, random_share=0.5, limit=4, seed=seed)
        drawn, others = texts[:2], texts[2:]
        assert [one.strategy for one in queued] == ["random"] * 2 + ["combined"] * 2
        assert drawn == chosen(scorer, gathered, strategy="random", limit=2, seed=seed)[0]
        left = [*DATA.texts, *drawn]
        assert others == chosen(scorer, gathered, left, limit=2, seed=seed)[0]
        assert len({*texts}) == 4
    assert chosen(scorer, gathered, random_share=1.0) == chosen(scorer, gathered, strategy="random")


def test_nothing_to_label_is_an_empty_queue(scorer):
    assert chosen(scorer, gather([], DATA.texts)) == ([], [])


def test_queued_sentence_is_a_label_that_is_yet_to_be_given(scorer, gathered):
    _, queued = chosen(scorer, gathered, strategy="random")
    fields = label_record(queued[0], gathered[0], DATA.topics)
    record = read_record(json.loads(json.dumps(fields)), Path("queue.jsonl"), 1)
    assert (record.status, record.topics, record.chosen) == ("skipped", (), "random")
    assert record.text == TEXT[record.start : record.end] or record.article == "two"
    assert fields["reasons"]["nearest"] in DATA.topics


@given(arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.floats(0, 1)))
def test_entropy_is_highest_and_confidence_lowest_at_one_half(probabilities):
    topics = probabilities.shape[1]
    half = np.full((1, topics), 0.5)
    assert entropy_of(half) == pytest.approx(topics)
    assert (entropy_of(probabilities) <= topics + 1e-9).all()
    assert (confidence_of(probabilities) >= confidence_of(half) - 1e-9).all()
    assert entropy_of(probabilities) == pytest.approx(entropy_of(1 - probabilities), abs=1e-6)


def test_what_was_picked_before_makes_what_is_like_it_wait():
    X = sparse.csr_matrix(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]))
    value = np.array([1.0, 0.9, 0.8])
    nothing = np.zeros(3)
    assert pick(value, X, [], 3, 0.0, nothing) == [(0, 0.0), (1, 0.8), (2, 0.6)]
    assert [place for place, _ in pick(value, X, [], 3, 1.0, nothing)] == [0, 2, 1]
    assert [place for place, _ in pick(value, X, [(0, 1, 0.7)], 3, 0.0, nothing)] == [0, 2]
    assert [place for place, _ in pick(value, X, [], 1, 1.0, np.array([1.0, 0.5, 0.0]))] == [2]


def test_more_candidates_than_are_looked_at_do_not_matter(scorer):
    many = 2500
    texts = tuple(f"Plant {n} of the seedlings in row {n + many}." for n in range(many))
    places = tuple(Place("many", n, n + 1) for n in range(many))
    rng = np.random.default_rng(0)
    candidates = Candidates(texts, places, rng.random((many, 2)), rng.random(many))
    queued = choose_next(
        candidates, (), choose_thresholds(scorer), scorer.blocks, strategy="entropy", limit=1
    )
    assert queued[0].row == entropy_of(candidates.probabilities).argmax()


def test_topics_that_exclude_each_other_are_measured_together(scorer):
    texts = tuple(f"Sentence {word} of three." for word in ("alpha", "beta", "gamma"))
    p = np.array([[0.98, 0.01, 0.01], [0.5, 0.49, 0.01], [0.4, 0.3, 0.3]])
    places = tuple(Place("one", n, n + 1) for n in range(3))
    candidates = Candidates(texts, places, p, np.ones(3))
    thresholds = Thresholds(np.zeros(3), 0.0)
    asked = candidates, (), thresholds, scorer.blocks, "multiclass"
    orders = {
        strategy: [one.row for one in choose_next(*asked, strategy=strategy)]
        for strategy in ("entropy", "confidence", "margin")
    }
    assert orders == {"entropy": [2, 1, 0], "confidence": [2, 1, 0], "margin": [1, 2, 0]}
    assert choose_next(*asked, strategy="margin")[0].nearest == (1, 0.49, 0.5)
    assert entropy_of(np.full((1, 4), 0.25), "multiclass") == pytest.approx(2)
    assert confidence_of(p, "multiclass").tolist() == [0.98, 0.5, 0.4]
