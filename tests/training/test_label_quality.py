from __future__ import annotations

import sys

import numpy as np
import pytest
from samples import home_dataset

from topicml.errors import MissingExtraError
from topicml.training.features import Parameters
from topicml.training.label_quality import (
    check_cleanlab,
    doubted_labels,
    out_of_fold_probabilities,
)

DATA = home_dataset()


def test_probabilities_are_of_every_sentence_and_follow_the_labels():
    probabilities = out_of_fold_probabilities(DATA, Parameters())
    assert probabilities.shape == DATA.Y.shape
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert probabilities[DATA.Y == 1].mean() > probabilities[DATA.Y == 0].mean() + 0.2


def test_labels_made_wrong_are_the_most_doubted():
    pytest.importorskip("cleanlab", reason="needs the extra labels")
    rng = np.random.default_rng(0)
    Y = (rng.random((200, 3)) < 0.3).astype(np.int8)
    probabilities = np.where(Y == 1, 0.9, 0.05) + rng.uniform(-0.04, 0.04, Y.shape)
    wrong = {*range(0, 200, 10)}
    for row in wrong:
        Y[row, row % 3] ^= 1
    rows, scores = doubted_labels(Y, probabilities)
    assert {*rows.tolist()} <= wrong
    assert len(rows) >= 15
    lowest = np.where(Y == 1, probabilities, 1 - probabilities).min(axis=1)
    assert scores == pytest.approx(1 - lowest[rows])


def test_missing_cleanlab_is_one_line_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.delitem(sys.modules, "cleanlab.multilabel_classification.filter", raising=False)
    monkeypatch.delitem(sys.modules, "cleanlab.multilabel_classification", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        check_cleanlab()
    assert str(caught.value) == (
        "what the recipe says of labels needs cleanlab. Install it: pip install 'topicml[labels]'"
    )
