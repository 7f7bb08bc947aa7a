"""An explanation says what the tagger decides, and why."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from scorers import HARD_TEXTS, TEXTS

from topicml import Model, classify_text, explain_sentence, load_model
from topicml.errors import ModelError
from topicml.explain.explainer import Explainer
from topicml.scheme import Scheme
from topicml.tagging.thresholds import Thresholds, choose_thresholds

TEXT = "Herbs from the garden bed went into the bread dough."


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_model(tiny.folder)


@pytest.fixture(scope="module")
def multiclass(model: Model) -> Model:
    nothing = np.zeros(len(model.scorer.topics))
    scheme = Scheme("multiclass", "en")
    return replace(model, scorer=replace(model.scorer, scheme=scheme, thresholds=nothing))


def test_topics_and_probabilities_are_those_of_classify(model: Model) -> None:
    explanation = explain_sentence(model, TEXT)
    (sentence,) = classify_text(TEXT, model, unit="sentence").sentences
    assert explanation.given == sentence.topics == ("baking", "gardening")
    assert (explanation.model, explanation.text, explanation.reason) == (
        "weekend@1.0.0",
        TEXT,
        None,
    )
    for name, topic in zip(sentence.topics, explanation.topics, strict=True):
        column = model.scorer.topics.index(name)
        assert (topic.topic, topic.is_given) == (name, True)
        assert topic.probability == pytest.approx(sentence.probabilities[column], abs=1e-12)
        assert topic.threshold == model.scorer.thresholds[column]
        assert topic.intercept == model.scorer.intercepts[column]
    assert explanation.relevance is not None
    assert explanation.relevance.probability == pytest.approx(sentence.relevance, abs=1e-12)
    assert explanation.relevance.threshold == model.scorer.relevance_threshold


def test_the_words_that_count_are_those_of_the_topic(model: Model) -> None:
    explanation = explain_sentence(model, TEXT)
    baking = explanation.topic("baking")
    assert {w.text for w, _ in explanation.strongest_words(baking, 2)} == {"bread", "dough"}
    against = explanation.strongest_words(baking, 3, against=True)
    assert [added for _, added in against] == sorted(added for _, added in against)
    assert all(added < 0 for _, added in against)
    marks = explanation.marks(baking)
    assert max(abs(mark.strength) for mark in marks) == 1
    for mark in marks:
        word = next(w for w in explanation.words if (w.start, w.end) == (mark.start, mark.end))
        assert TEXT[mark.start : mark.end] == word.text
    assert "".join(text for text, _ in explanation.segments(baking)) == TEXT
    (term, added), *others = explanation.strongest_terms(baking, 5)
    assert all(abs(added) >= abs(other) for _, other in others)
    assert [TEXT[slice(*place)] for place in term.places]


def test_a_word_that_comes_twice_is_named_once_with_all_that_it_adds(model: Model) -> None:
    explanation = explain_sentence(model, "Bread, more bread and BREAD in the oven.")
    baking = explanation.topic("baking")
    word, added = explanation.strongest_words(baking, 1)[0]
    assert (word.text, word.start) == ("Bread", 0)
    assert added == pytest.approx(baking.words[0] + baking.words[2] + baking.words[4])


def assert_adds_up(explanation: Any) -> None:
    columns = [*explanation.topics, *([explanation.relevance] if explanation.relevance else [])]
    for topic in columns:
        assert math.fsum((topic.intercept, *topic.words)) == pytest.approx(topic.log_odds, abs=1e-9)
        assert math.fsum((topic.intercept, *topic.terms)) == pytest.approx(topic.log_odds, abs=1e-9)
        power = math.exp(-(topic.log_odds - topic.rivals))
        assert 1 / (1 + power) == pytest.approx(topic.probability, abs=1e-9)


@given(TEXTS)
def test_any_text_adds_up_to_its_probability(model: Model, multiclass: Model, text: str) -> None:
    for kind in (model, multiclass):
        explanation = Explainer(kind).explain(text, kind.scorer.topics, full=False)
        assert_adds_up(explanation)
        assert [topic.topic for topic in explanation.topics] == [*kind.scorer.topics]
        (sentence,) = classify_text(text, kind, unit="sentence").sentences
        assert explanation.given == sentence.topics
        assert explanation.reason == sentence.reason


def test_multiclass_sentences_are_explained_beside_the_other_topics(multiclass: Model) -> None:
    explanation = explain_sentence(multiclass, TEXT)
    (topic,) = explanation.topics
    assert_adds_up(explanation)
    assert explanation.given == (topic.topic,)
    assert topic.rivals != 0
    assert explanation.relevance is None
    assert not [check for check in explanation.checks if check.reason == "no_topic"]
    assert topic.change is not None
    left = topic.change.text
    assert left is not None
    (after,) = classify_text(left, multiclass, unit="sentence").sentences
    assert topic.topic not in after.topics


def test_sentence_without_a_topic_is_explained_by_the_nearest(model: Model) -> None:
    explanation = explain_sentence(model, "Nobody answered the telephone.")
    assert explanation.given == ()
    (topic,) = explanation.topics
    failed = next(check for check in explanation.checks if not check.passed)
    assert failed.reason == explanation.reason
    assert not topic.is_given
    assert topic.change is None
    assert explanation.checks[-1].what == f"nearest topic, {topic.topic}"


@pytest.mark.parametrize("topics", [["sailing"], ["sailing", "baking", "sailing"], []])
def test_topics_asked_for_are_explained(model: Model, topics: list[str]) -> None:
    explanation = explain_sentence(model, TEXT, topics)
    assert [topic.topic for topic in explanation.topics] == [*dict.fromkeys(topics)]
    assert explanation.given == ("baking", "gardening")


def test_thresholds_that_are_asked_for_decide(model: Model) -> None:
    assert explain_sentence(model, TEXT, threshold=1.0).reason == "below_threshold"
    low = explain_sentence(model, "Nobody answered.", threshold=0.0)
    assert low.given == model.scorer.topics
    assert low.relevance is not None
    assert low.relevance.threshold == 0.0
    with pytest.raises(ValueError, match="exclude"):
        explain_sentence(model, TEXT, threshold=0.5, min_precision=0.9)


def test_topic_that_is_never_given_has_no_threshold_in_json(model: Model) -> None:
    never = Thresholds(np.full(len(model.scorer.topics), np.inf), 0.0)
    record = Explainer(model, never).explain(TEXT).to_dict()
    text = json.dumps(record, allow_nan=False)
    assert json.loads(text)["topics"][0]["threshold"] is None
    assert record["checks"][-1]["limit"] is None
    assert record["reason"] == "below_threshold"


def test_record_has_words_that_add_up_and_is_short_where_asked(model: Model) -> None:
    explanation = explain_sentence(model, TEXT)
    full, brief = explanation.to_dict(), explanation.to_dict(full=False)
    for record in (full, brief):
        for topic in [*record["topics"], record["relevance"]]:
            words = [word["contribution"] for word in topic["words"]]
            total = math.fsum((topic["intercept"], *words))
            assert total == pytest.approx(topic["log_odds"], abs=1e-9)
            assert all(TEXT[w["start"] : w["end"]] == w["text"] for w in topic["words"])
    terms = [term["contribution"] for term in full["topics"][0]["terms"]]
    assert [*map(abs, terms)] == sorted(map(abs, terms), reverse=True)
    assert {*full["topics"][0]} - {*brief["topics"][0]} == {"terms", "nearest", "change"}
    assert json.loads(json.dumps(full)) == json.loads(json.dumps(explanation.to_dict()))


def test_unknown_topic_is_refused_with_those_there_are(model: Model) -> None:
    with pytest.raises(ModelError, match=r"unknown topic 'bakin'.*Did you mean 'baking'"):
        explain_sentence(model, TEXT, ["bakin"])


def test_topic_that_nothing_is_said_of_is_no_key(model: Model) -> None:
    with pytest.raises(KeyError):
        explain_sentence(model, TEXT).topic("sailing")


def test_network_is_refused(model: Model) -> None:
    network = replace(model, manifest={**model.manifest, "kind": "network"})
    with pytest.raises(ModelError, match="is a network, which has no weights of words"):
        Explainer(network)


def test_explanation_cannot_be_changed_and_leaves_the_scorer_as_it_was(model: Model) -> None:
    model.scorer.use("compiled")
    explanation = explain_sentence(model, TEXT)
    assert model.scorer.backends.choice == "compiled"
    model.scorer.use("auto")
    with pytest.raises(FrozenInstanceError):
        explanation.text = ""  # type: ignore[misc]


@pytest.mark.parametrize("text", [*HARD_TEXTS[:15], "treaty bread " * 800], ids=range(16))
def test_odd_texts_are_explained(model: Model, text: str) -> None:
    explanation = explain_sentence(model, text, model.scorer.topics)
    assert_adds_up(explanation)
    for topic in explanation.topics:
        assert "".join(part for part, _ in explanation.segments(topic)) == text


PROGRAM = """
import json, sys
from pathlib import Path
from topicml import explain_sentence, load_model
found = explain_sentence(load_model(sys.argv[1]), sys.argv[3], labels=sys.argv[2])
print(json.dumps(found.to_dict()))
"""


def test_explanations_are_the_same_in_every_process(tiny: Tiny) -> None:
    made = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, tiny.folder, tiny.labels, TEXT],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    (text,) = made
    assert len(json.loads(text)["topics"][0]["nearest"]) == 3


def test_model_s_own_thresholds_are_the_default(model: Model) -> None:
    own = choose_thresholds(model.scorer)
    assert Explainer(model).thresholds.relevance == own.relevance
