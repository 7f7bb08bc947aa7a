from dataclasses import replace

import numpy as np
import pytest
from conftest import Tiny

from topicml.errors import ModelError
from topicml.models.folder import open_model
from topicml.scheme import Scheme
from topicml.scoring.scorer import Scorer
from topicml.tagging.thresholds import choose_thresholds, reached


@pytest.fixture(scope="module")
def scorer(tiny: Tiny) -> Scorer:
    return replace(
        open_model(tiny.folder).scorer,
        relevance_threshold=0.4,
        precisions=(0.9,),
        precision_thresholds=np.array([[0.8], [np.nan], [0.0]]),
    )


def test_the_models_own_are_taken_where_nothing_is_asked(scorer: Scorer) -> None:
    chosen = choose_thresholds(scorer)
    assert chosen.topics.tolist() == scorer.thresholds.tolist()
    assert chosen.relevance == 0.4


def test_one_threshold_decides_alone_unless_relevance_is_given_too(scorer: Scorer) -> None:
    alone = choose_thresholds(scorer, threshold=0.3)
    assert (alone.topics.tolist(), alone.relevance) == ([0.3] * 3, 0.0)
    both = choose_thresholds(scorer, threshold=0.3, relevance=0.2)
    assert (both.topics.tolist(), both.relevance) == ([0.3] * 3, 0.2)


def test_relevance_alone_leaves_the_topics_thresholds(scorer: Scorer) -> None:
    chosen = choose_thresholds(scorer, relevance=0.0)
    assert (chosen.topics.tolist(), chosen.relevance) == (scorer.thresholds.tolist(), 0.0)


def test_a_precision_keeps_the_gate(scorer: Scorer) -> None:
    chosen = choose_thresholds(scorer, min_precision=0.9)
    own = scorer.thresholds.tolist()
    assert chosen.topics.tolist() == [max(0.8, own[0]), np.inf, own[2]]
    assert chosen.relevance == 0.4


def test_two_ways_to_say_how_sure_exclude_each_other(scorer: Scorer) -> None:
    with pytest.raises(ValueError, match="exclude"):
        choose_thresholds(scorer, threshold=0.5, min_precision=0.9)


def test_likeliest_topic_alone_is_given_where_topics_exclude_each_other() -> None:
    probabilities = np.array([[0.4, 0.35, 0.25], [0.2, 0.3, 0.5], [0.3, 0.3, 0.4]])
    thresholds = np.array([0.3, 0.3, 0.45])
    each, one = (
        reached(probabilities, thresholds, kind).tolist() for kind in ("multilabel", "multiclass")
    )
    assert each == [[True, True, False], [False, True, True], [True, True, False]]
    assert one == [[True, False, False], [False, False, True], [False, False, False]]


def test_relevance_is_nothing_to_ask_a_multiclass_model_for(scorer: Scorer) -> None:
    one = replace(scorer, scheme=Scheme("multiclass"))
    with pytest.raises(ModelError, match="no relevance"):
        choose_thresholds(one, relevance=0.0)
    assert choose_thresholds(one, threshold=0.3).topics.tolist() == [0.3] * 3
