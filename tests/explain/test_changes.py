"""The fewest words without which a topic is gone, against a search of all sets of words."""

from __future__ import annotations

from itertools import combinations

import pytest
from conftest import Tiny, tiny_records

from topicml import Model, classify_text, load_model
from topicml.explain.changes import MOST_REMOVED, MOST_TRIED
from topicml.explain.explainer import Explainer
from topicml.explain.explanation import Change
from topicml.explain.reading import read_sentence

SENTENCES = [
    "Yeast makes bread rise in the oven.",
    "The boat left the harbour.",
    "Bread, bread, dough and bread.",
    "Herbs from the garden bed went into the bread dough.",
    "They planted seeds on the deck of the boat.",
    "Dough!",
]


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_model(tiny.folder)


def has_topic(model: Model, text: str, topic: str) -> bool:
    (sentence,) = classify_text(text, model, unit="sentence").sentences
    return topic in sentence.topics


def smallest_by_search(model: Model, text: str, topic: str) -> int:
    reading = read_sentence(text)
    words = range(len(reading.words))
    return next(
        size
        for size in range(1, len(words) + 1)
        for removed in combinations(words, size)
        if not has_topic(model, reading.without(removed), topic)
    )


@pytest.mark.parametrize("text", SENTENCES)
def test_no_smaller_set_of_words_takes_the_topic_away(model: Model, text: str) -> None:
    explanation = Explainer(model).explain(text)
    assert explanation.given
    for topic in explanation.topics:
        change = topic.change
        assert change is not None
        smallest = smallest_by_search(model, text, topic.topic)
        assert len(change.words) >= smallest
        if smallest <= 2:
            assert len(change.words) == smallest
        assert change.is_smallest is (len(change.words) <= 3)
        assert change.text == read_sentence(text).without(change.words)
        (after,) = classify_text(change.text, model, unit="sentence").sentences
        assert topic.topic not in after.topics
        column = model.scorer.topics.index(topic.topic)
        assert change.probability == pytest.approx(after.probabilities[column], abs=1e-12)
        assert change.reason == after.reason


def test_removal_removes_in_every_labelled_sentence(model: Model) -> None:
    explainer = Explainer(model)
    sizes = set()
    for record in tiny_records()[:13]:
        for topic in explainer.explain(record["text"]).topics:
            change = topic.change
            if topic.is_given and change and change.text is not None:
                sizes.add(len(change.words))
                assert not has_topic(model, change.text, topic.topic)
    assert len(sizes) > 1


def test_of_equal_sets_the_first_is_taken(model: Model) -> None:
    low = Explainer(model)
    change = low.explain("Bread bread.", ["baking"]).topic("baking").change
    assert change is None or change.words in {(0,), (0, 1)}


def test_where_no_set_is_found_it_says_so(model: Model) -> None:
    text = "bread dough oven cake butter " * 8
    topic = Explainer(model).explain(text, ["baking"]).topic("baking")
    assert topic.change == Change((), is_smallest=False, most=MOST_REMOVED)


def test_of_long_sentences_only_the_words_that_add_most_are_tried(model: Model) -> None:
    text = "bread " + "and the day " * MOST_TRIED
    topic = Explainer(model).explain(text, ["baking"]).topic("baking")
    if topic.is_given:
        assert topic.change is not None
        assert 0 in topic.change.words
