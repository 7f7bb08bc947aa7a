from __future__ import annotations

import numpy as np
import pytest

from topicml.training.error_rates import ErrorRates, find_error_rates


def made(seed=0, documents=300, random_share=0.3):
    """Sentences of which those not drawn at random are likelier to be hard."""
    rng = np.random.default_rng(seed)
    n = documents * 5
    drawn = rng.random(n) < random_share
    said = rng.normal(-1.5, 1, n) + np.where(drawn, 0, 1.2)
    Y = (rng.random(n) < 1 / (1 + np.exp(-said * 1.5))).astype(np.int8)
    probabilities = (1 / (1 + np.exp(-said)))[:, None]
    tags = (probabilities > 0.4).astype(np.int8)
    return Y[:, None], probabilities, tags, np.repeat(np.arange(documents), 5).astype(str), drawn


def rates(Y, probabilities, tags, documents, drawn, real=None):
    real = np.ones(len(Y), dtype=np.bool_) if real is None else real
    return find_error_rates(("a",), Y, probabilities, tags, documents, real, drawn)[0]


def test_without_a_random_sample_every_sentence_counts_as_it_is():
    Y, p, tags, documents, _ = made()
    found = rates(Y, p, tags, documents, None)
    assert found.mix == "labels"
    assert found.sensitivity == pytest.approx(tags[Y > 0].mean())
    assert found.specificity == pytest.approx(1 - tags[Y == 0].mean())
    assert found.positives == (Y > 0).sum()
    assert found.positives + found.negatives == len(Y)


def test_with_one_the_rates_are_those_of_ordinary_text():
    Y, p, tags, documents, drawn = made(documents=2000)
    found = rates(Y, p, tags, documents, drawn)
    assert found.mix == "natural"
    alone = rates(Y[drawn], p[drawn], tags[drawn], documents[drawn], None)
    as_picked = rates(Y, p, tags, documents, None)
    assert found.specificity == pytest.approx(alone.specificity, abs=0.01)
    assert found.sensitivity == pytest.approx(alone.sensitivity, abs=0.03)
    assert as_picked.specificity < found.specificity - 0.05
    # the labelled sentences say more than those drawn alone
    assert found.sensitivity_size > alone.sensitivity_size


def test_sentences_picked_for_one_topic_are_no_picture_of_another():
    rng = np.random.default_rng(1)
    n = 12_000
    said = rng.normal(-2, 1.2, (n, 2))
    Y = (rng.random((n, 2)) < 1 / (1 + np.exp(-said))).astype(np.int8)
    drawn = rng.random(n) < 0.15
    labelled = drawn | (said[:, 0] > -0.5)  # rich in the first topic
    p = 1 / (1 + np.exp(-said))
    tags = (p > 0.3).astype(np.int8)
    documents = (np.arange(n) // 5).astype(str)
    arrays = [each[labelled] for each in (Y, p, tags, documents)]
    real = np.ones(labelled.sum(), dtype=np.bool_)
    found = find_error_rates(("a", "b"), *arrays, real, drawn[labelled])
    for t, rate in enumerate(found):
        assert rate.specificity == pytest.approx(1 - tags[Y[:, t] == 0, t].mean(), abs=0.02)
        assert rate.sensitivity == pytest.approx(tags[Y[:, t] > 0, t].mean(), abs=0.06)


def test_authored_sentences_count_for_nothing():
    Y, p, tags, documents, drawn = made()
    real = np.arange(len(Y)) % 3 > 0
    found = rates(Y, p, tags, documents, drawn, real)
    wrong = np.where(real[:, None], tags, 1 - Y)
    assert rates(Y, p, wrong.astype(np.int8), documents, drawn, real) == found


def test_alike_sentences_of_a_document_count_as_fewer():
    Y, p, tags, documents, _ = made()
    apart = rates(Y, p, tags, documents, None)
    copies = [np.repeat(each, 4, axis=0) for each in (Y, p, tags, documents)]
    together = rates(*copies, None)
    assert together.sensitivity == apart.sensitivity
    assert together.sensitivity_size == pytest.approx(apart.sensitivity_size, rel=0.01)


def test_a_topic_without_a_sentence_has_no_sensitivity():
    Y, p, tags, documents, _ = made()
    found = rates(Y * 0, p, tags, documents, None)
    assert (found.sensitivity, found.sensitivity_size, found.positives) == (None, 0.0, 0)


def test_what_a_manifest_states_is_read_back():
    found = rates(*made())
    stated = {name: getattr(found, name) for name in ErrorRates.__slots__}
    assert ErrorRates.of(stated) == found
    with pytest.raises(KeyError):
        ErrorRates.of({"topic": "a"})
