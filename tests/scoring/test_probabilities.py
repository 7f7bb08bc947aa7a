"""Log-odds to probabilities, of both kinds of schemes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from topicml.scoring.probabilities import probabilities_of, sigmoid, softmax

LOG_ODDS = arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6))


@given(LOG_ODDS)
def test_topics_that_exclude_each_other_add_up_to_one(log_odds: np.ndarray) -> None:
    found = softmax(log_odds)
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[np.arange(4), log_odds.argmax(axis=1)] == found.max(axis=1)).all()
    assert softmax(log_odds + 7.0) == pytest.approx(found, abs=1e-9)


@given(LOG_ODDS)
def test_relevance_is_apart_from_topics(log_odds: np.ndarray) -> None:
    each, together = (probabilities_of(log_odds, kind) for kind in ("multilabel", "multiclass"))
    assert (each[:, -1] == together[:, -1]).all()
    assert together[:, :-1].sum(axis=1) == pytest.approx(1.0)


def test_known_values() -> None:
    log_odds = np.log(np.array([[1.0, 3.0, 9.0]]))
    assert probabilities_of(log_odds, "multilabel") == pytest.approx(np.array([[0.5, 0.75, 0.9]]))
    assert probabilities_of(log_odds, "multiclass") == pytest.approx(np.array([[0.25, 0.75, 0.9]]))


@given(st.floats(-700, 700))
def test_sigmoid_is_the_logistic_function(x: float) -> None:
    expected = 1 / (1 + np.exp(-x)) if x >= 0 else np.exp(x) / (1 + np.exp(x))
    assert float(sigmoid(np.array([x]))[0]) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sigmoid_neither_overflows_nor_changes_precision(kind: type) -> None:
    with np.errstate(all="raise", under="ignore"):
        found = sigmoid(np.array([-1e6, 0.0, 1e6], kind))
    assert found.dtype == kind
    assert found.tolist() == [0.0, 0.5, 1.0]
