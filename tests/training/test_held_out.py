"""Tags of held-out sentences are those that ``classify`` gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import home_dataset

from topicml.scoring.scorer_file import load_scorer
from topicml.tagging.tagger import tag_sentences
from topicml.training.export import export_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model
from topicml.training.held_out import tag_held_out

ODD_TEXTS = (
    "Subscribe to our garden newsletter",
    "Read more: fry onions",
    "Der Koch und die Köchin braten das Gemüse in der Küche auf dem Herd.",
    "玉ねぎをバターで炒める。",
    "Quarks vibrate inside hadrons unless gluons decohere.",
    "42",
    "",
)
PARAMETERS = {"words": Parameters(char_ngrams=None), "both": Parameters(), "adapted": ADAPTED}


@pytest.fixture(scope="module", params=PARAMETERS)
def model(request):
    parameters = PARAMETERS[request.param]
    background = home_background() if parameters.background else None
    fitted = fit_model(home_dataset(), parameters, background)
    # low enough that all that is likely at all is a tag, unless a sentence is refused
    decision = replace(
        fitted.decision,
        thresholds=np.array([0.3, 0.4]),
        relevance_threshold=0.2,
        fewest_known=0.4,
    )
    return replace(fitted, decision=decision)


def with_texts(texts):
    data = home_dataset()
    return replace(data.subset(np.zeros(len(texts), dtype=int)), texts=tuple(texts))


def held_out(model, texts):
    """Tag by log-odds before calibration, which the pipeline has in it already."""
    vectorizer, classifier = model.pipeline
    log_odds = classifier.log_odds(vectorizer.transform(texts))
    identity = replace(model.decision, weights=np.eye(3), offset=np.zeros(3))
    return tag_held_out(with_texts(texts), log_odds, identity, vectorizer)


def test_tags_are_those_of_the_exported_scorer(model, tmp_path):
    texts = [*home_dataset().texts, *ODD_TEXTS]
    export_scorer(model.pipeline, ("a", "b"), model.decision, tmp_path / "scorer.npz")
    expected, given, reasons = tag_sentences(load_scorer(tmp_path / "scorer.npz"), texts)
    probabilities, tags = held_out(model, texts)
    np.testing.assert_allclose(probabilities, expected, atol=1e-9)
    np.testing.assert_array_equal(tags, given)
    assert tags.dtype == np.int8
    assert {"boilerplate", "not_english", "unfamiliar"} <= set(reasons)
    assert set(np.unique(tags)) == {0, 1}


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_refused_sentence_has_no_tag_however_likely_its_topics(model, text):
    certain = np.full((1, 3), 9.0)
    probabilities, tags = tag_held_out(
        with_texts([text]), certain, model.decision, model.pipeline[0]
    )
    assert probabilities.min() > 0.5
    assert not tags.any()


def test_sentence_is_judged_as_it_is_read(model):
    texts = ["on-\nions but-\nter", "on\u00adions but\u00adter", "on ions but ter"]
    certain = np.full((3, 3), 9.0)
    _, tags = tag_held_out(with_texts(texts), certain, model.decision, model.pipeline[0])
    assert tags.tolist() == [[1, 1], [1, 1], [0, 0]]


def test_calibration_thresholds_and_relevance_of_the_decision_are_heeded(model):
    log_odds = np.array([[1.0, -3.0, 2.0], [1.0, 1.0, -9.0], [-1.0, 2.0, 0.0], [0.5, 0.5, 0.0]])
    texts = home_dataset().texts[:4]
    decision = replace(
        model.decision,
        weights=np.diag([2.0, 1.0, 0.5]),
        offset=np.array([0.0, 0.5, 1.0]),
        thresholds=np.array([0.75, 0.8]),
        relevance_threshold=0.5,
    )
    probabilities, tags = tag_held_out(with_texts(texts), log_odds, decision, model.pipeline[0])
    np.testing.assert_array_equal(probabilities, decision.probabilities(log_odds))
    np.testing.assert_array_equal(tags, decision.tags(log_odds))
    assert tags.tolist() == [[1, 0], [0, 0], [0, 1], [0, 0]]
