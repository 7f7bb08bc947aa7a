from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_recall_fscore_support,
)

from topicml.training.metrics import (
    HEADLINES,
    Interval,
    calibration_interval,
    evaluate_predictions,
    expected_calibration_error,
    false_tag_interval,
    headline_scores,
    reliability_table,
    weighted_average_precision,
)

TOPICS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def case():
    """Labels of topics a to c with overlap; d occurs nowhere. Some rows are empty."""
    rng = np.random.default_rng(3)
    Y = (rng.random((60, 4)) < [0.4, 0.3, 0.15, 0.0]).astype(np.int8)
    probabilities = np.round(np.clip(0.35 * Y + 0.65 * rng.random((60, 4)), 0, 1), 2)
    tags = (probabilities >= [0.5, 0.6, 0.45, 0.8]).astype(np.int8)
    documents = np.array([f"doc-{i // 7}" for i in range(60)])
    return Y, probabilities, tags, documents


@pytest.fixture(scope="module")
def evaluation(case):
    return evaluate_predictions(TOPICS, *case, resamples=200)


def naive_ece(y, p, weights):
    total = 0.0
    for lower in range(10):
        members = [i for i in range(len(y)) if min(int(p[i] * 10), 9) == lower]
        weight = sum(weights[i] for i in members)
        if weight:
            confidence = sum(weights[i] * p[i] for i in members) / weight
            accuracy = sum(weights[i] * y[i] for i in members) / weight
            total += weight * abs(confidence - accuracy)
    return total / sum(weights)


def weighted_labels(max_size=30):
    row = st.tuples(
        st.integers(0, 1),
        st.sampled_from([0.0, 0.2, 0.5, 0.55, 1.0]) | st.integers(0, 997).map(lambda i: i / 997),
        st.one_of(st.integers(0, 4).map(float), st.floats(0.01, 5)),
    )
    return st.lists(row, min_size=1, max_size=max_size).filter(
        lambda rows: any(label and weight for label, _, weight in rows)
    )


def columns(rows):
    y, p, weights = (np.array(column) for column in zip(*rows, strict=True))
    return y.astype(np.int8), p, weights.astype(np.float64)


@settings(deadline=None)
@given(weighted_labels())
def test_weighted_average_precision_equals_sklearns(rows):
    y, p, weights = columns(rows)
    assert weighted_average_precision(y, p, weights[None])[0] == pytest.approx(
        average_precision_score(y, p, sample_weight=weights), abs=1e-9
    )


def test_average_precision_takes_many_weight_vectors_at_once():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 20).astype(np.int8), rng.integers(0, 6, 20) / 5
    weights = rng.integers(0, 4, (30, 20)).astype(np.float64)
    expected = [average_precision_score(y, p, sample_weight=w) for w in weights]
    np.testing.assert_allclose(weighted_average_precision(y, p, weights), expected)


def test_average_precision_without_a_positive_is_undefined():
    y, p = np.array([1, 0], dtype=np.int8), np.array([0.9, 0.1])
    found = weighted_average_precision(y, p, np.array([[1.0, 1.0], [0.0, 1.0]]))
    assert found[0] == 1.0
    assert np.isnan(found[1])


@settings(deadline=None)
@given(weighted_labels())
def test_calibration_error_equals_the_naive_sum_over_bins(rows):
    y, p, weights = columns(rows)
    assert expected_calibration_error(y, p, weights[None])[0] == pytest.approx(
        naive_ece(y.tolist(), p.tolist(), weights.tolist()), abs=1e-9
    )


def test_calibration_error_of_certain_and_right_is_zero_and_of_certain_and_wrong_one():
    y, once = np.array([1, 0], dtype=np.int8), np.ones((1, 2))
    assert expected_calibration_error(y, np.array([1.0, 0.0]), once)[0] == 0.0
    assert expected_calibration_error(y, np.array([0.0, 1.0]), once)[0] == 1.0


def test_topic_scores_equal_sklearns(case, evaluation):
    Y, p, tags, _ = case
    precision, recall, f1, support = precision_recall_fscore_support(
        Y, tags, average=None, zero_division=0
    )
    for t, scores in enumerate(evaluation.topics[:3]):
        assert scores.topic == TOPICS[t]
        assert scores.support == support[t]
        assert scores.precision == pytest.approx(precision[t])
        assert scores.recall == pytest.approx(recall[t])
        assert scores.f1 == pytest.approx(f1[t])
        assert scores.average_precision == pytest.approx(average_precision_score(Y[:, t], p[:, t]))
        assert scores.brier == pytest.approx(brier_score_loss(Y[:, t], p[:, t]))
        assert scores.expected_calibration_error == pytest.approx(
            naive_ece(Y[:, t].tolist(), p[:, t].tolist(), [1.0] * 60)
        )


def test_topic_that_occurs_nowhere_has_no_scores_but_a_brier(case, evaluation):
    Y, p, _, _ = case
    absent = evaluation.topics[3]
    assert absent.support == 0
    assert (absent.precision, absent.recall, absent.f1, absent.average_precision) == (None,) * 4
    assert absent.brier == pytest.approx(float(np.mean(p[:, 3] ** 2)))
    assert Y[:, 3].sum() == 0


def test_averages_equal_sklearns(case, evaluation):
    Y, p, tags, _ = case
    value = {key: interval.value for key, interval in evaluation.headlines.items()}
    assert tuple(value) == HEADLINES
    precision, recall, micro, _ = precision_recall_fscore_support(Y, tags, average="micro")
    assert evaluation.micro_precision == pytest.approx(precision)
    assert evaluation.micro_recall == pytest.approx(recall)
    assert value["micro_f1"] == pytest.approx(micro)
    assert value["macro_f1"] == pytest.approx(f1_score(Y[:, :3], tags[:, :3], average="macro"))
    assert value["samples_f1"] == pytest.approx(
        f1_score(Y, tags, average="samples", zero_division=1)
    )
    assert value["macro_average_precision"] == pytest.approx(
        average_precision_score(Y[:, :3], p[:, :3], average="macro")
    )
    empty = Y.sum(axis=1) == 0
    assert value["false_tag_rate"] == pytest.approx(tags[empty].any(axis=1).mean())
    assert evaluation.brier == pytest.approx(
        np.mean([brier_score_loss(Y[:, t], p[:, t], pos_label=1) for t in range(4)])
    )
    assert value["expected_calibration_error"] == pytest.approx(
        np.mean([naive_ece(Y[:, t].tolist(), p[:, t].tolist(), [1.0] * 60) for t in range(4)])
    )


@settings(deadline=None)
@given(data=st.data())
def test_weighted_averages_equal_sklearns(data):
    n = data.draw(st.integers(2, 12))
    bits = arrays.arrays(np.int8, (n, 3), elements=st.integers(0, 1))
    Y, tags = data.draw(bits), data.draw(bits)
    weights = data.draw(arrays.arrays(np.float64, n, elements=st.integers(1, 4).map(float)))
    found = headline_scores(Y, tags * 0.9, tags, weights[None])
    present = Y.any(axis=0)
    options = {"sample_weight": weights, "zero_division": 0}
    micro = f1_score(Y, tags, average="micro", **options)
    assert found["micro_f1"][0] == pytest.approx(micro)
    if present.any():
        macro = np.mean(f1_score(Y, tags, average=None, **options)[present])
        assert found["macro_f1"][0] == pytest.approx(macro)
    samples = f1_score(Y, tags, average="samples", sample_weight=weights, zero_division=1)
    assert found["samples_f1"][0] == pytest.approx(samples)


def test_integer_weights_count_like_repeated_sentences(case):
    Y, p, tags, _ = case
    times = np.random.default_rng(1).integers(0, 4, len(Y))
    weighted = headline_scores(Y, p, tags, times[None].astype(np.float64))
    rows = np.repeat(np.arange(len(Y)), times)
    repeated = headline_scores(Y[rows], p[rows], tags[rows], np.ones((1, len(rows))))
    for key in HEADLINES:
        np.testing.assert_allclose(weighted[key], repeated[key])


def test_documents_are_scored_on_the_union_of_their_sentences(case, evaluation):
    Y, _, tags, documents = case
    names = sorted(set(documents.tolist()))
    document_Y = np.array([Y[documents == name].any(axis=0) for name in names])
    document_tags = np.array([tags[documents == name].any(axis=0) for name in names])
    assert evaluation.documents == len(names) == 9
    assert evaluation.sentences == 60
    assert evaluation.document_micro_f1 == pytest.approx(
        f1_score(document_Y, document_tags, average="micro")
    )
    assert evaluation.document_macro_f1 == pytest.approx(
        f1_score(document_Y[:, :3], document_tags[:, :3], average="macro")
    )


def test_tags_are_scored_as_they_are_given_whatever_the_probabilities():
    Y = np.array([[1], [0]], dtype=np.int8)
    probabilities, documents = np.array([[0.01], [0.99]]), np.array(["x", "y"])
    right = evaluate_predictions(("a",), Y, probabilities, Y, documents, resamples=5)
    assert right.headlines["micro_f1"].value == 1.0
    assert right.headlines["false_tag_rate"].value == 0.0
    assert right.topics[0].f1 == right.document_micro_f1 == 1.0
    wrong = evaluate_predictions(("a",), Y, probabilities, 1 - Y, documents, resamples=5)
    assert wrong.headlines["micro_f1"].value == 0.0
    assert wrong.headlines["false_tag_rate"].value == 1.0
    assert wrong.topics[0].f1 == wrong.document_micro_f1 == 0.0


def test_tags_may_follow_any_rule(case):
    Y, p, _, documents = case
    own = (p >= np.random.default_rng(5).random(Y.shape)).astype(np.int8)
    found = evaluate_predictions(TOPICS, Y, p, own, documents, resamples=5)
    assert found.headlines["micro_f1"].value == pytest.approx(f1_score(Y, own, average="micro"))


def test_ranking_and_calibration_do_not_depend_on_tags(case, evaluation):
    Y, p, tags, documents = case
    found = evaluate_predictions(TOPICS, Y, p, 1 - tags, documents, resamples=200)
    for key in ("macro_average_precision", "expected_calibration_error"):
        assert found.headlines[key] == evaluation.headlines[key]
    assert found.reliability == evaluation.reliability
    assert found.brier == evaluation.brier
    assert found.headlines["micro_f1"] != evaluation.headlines["micro_f1"]


def test_intervals_hold_the_value_and_depend_on_the_seed_alone(case, evaluation):
    again = evaluate_predictions(TOPICS, *case, resamples=200)
    other = evaluate_predictions(TOPICS, *case, resamples=200, seed=1)
    assert again == evaluation
    assert other.headlines != evaluation.headlines
    for interval in evaluation.headlines.values():
        assert interval.low <= interval.value <= interval.high
        assert interval.low < interval.high


def test_resampling_takes_whole_documents(case):
    Y, p, tags, _ = case
    one = evaluate_predictions(TOPICS, Y, p, tags, np.array(["x"] * 60), resamples=50)
    by_document = {k: v for k, v in one.headlines.items() if k != "false_tag_rate"}
    assert len(by_document) == len(one.headlines) - 1
    for interval in by_document.values():
        assert interval.low == pytest.approx(interval.value)
        assert interval.high == pytest.approx(interval.value)


def chance_of_at_most(count, n, rate):
    return sum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(count + 1))


@pytest.mark.parametrize(("falsely", "n"), [(0, 1), (0, 50), (3, 50), (25, 50), (49, 50), (50, 50)])
def test_false_tag_interval_ends_where_what_was_seen_is_one_in_forty(falsely, n):
    Y = np.zeros((n + 5, 2), dtype=np.int8)
    Y[n:, 0] = 1
    tags = np.ones_like(Y)
    tags[falsely:n] = 0
    found = false_tag_interval(Y, tags)
    assert found.value == pytest.approx(falsely / n)
    assert found.low <= found.value <= found.high
    if falsely:
        assert chance_of_at_most(falsely - 1, n, found.low) == pytest.approx(0.975)
    if falsely < n:
        assert chance_of_at_most(falsely, n, found.high) == pytest.approx(0.025)
    assert (found.low == 0) == (falsely == 0)
    assert (found.high == 1) == (falsely == n)


def test_false_tag_rate_of_an_evaluation_has_that_interval(case, evaluation):
    Y, _, tags, _ = case
    assert evaluation.headlines["false_tag_rate"] == false_tag_interval(Y, tags)


def test_false_tag_rate_is_undefined_where_every_sentence_has_a_topic():
    Y = np.ones((3, 1), dtype=np.int8)
    assert false_tag_interval(Y, Y) == Interval(None, None, None)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_calibration_interval_covers_the_true_error(shift):
    rng = np.random.default_rng(0)
    documents, each = 30, 5

    def draw(count):
        log_odds = rng.normal(-1, 2, size=(count, 2))
        share = 1 / (1 + np.exp(-log_odds - shift))
        return (rng.random(share.shape) < share).astype(np.int8), 1 / (1 + np.exp(-log_odds))

    def value(Y, p):
        return calibration_interval(Y, p, np.ones((1, len(Y)))).value

    truth = value(*draw(200_000))
    held, percentiles = [], []
    for _ in range(100):
        Y, p = draw(documents * each)
        times = rng.multinomial(documents, np.full(documents, 1 / documents), size=200)
        resampled = np.repeat(times, each, axis=1).astype(np.float64)
        found = calibration_interval(Y, p, resampled)
        held.append(found.low <= truth <= found.high)
        spread = headline_scores(Y, p, Y, resampled)["expected_calibration_error"]
        percentiles.append(np.percentile(spread, 2.5) <= truth <= np.percentile(spread, 97.5))
    assert np.mean(held) >= 0.92  # 0.95, but for chance
    assert shift or np.mean(percentiles) < 0.5  # which is why these are not taken


def test_figures_can_be_written_as_strict_json():
    Y = np.array([[1], [1], [1]], dtype=np.int8)  # no sentence is empty: no false-tag rate
    documents = np.array(["x", "y", "z"])
    probabilities = np.array([[0.5], [0.9], [0.2]])
    tags = (probabilities >= 0.5).astype(np.int8)
    found = evaluate_predictions(("a",), Y, probabilities, tags, documents, resamples=5)
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["topics"][0]["support"] == 3


def test_figures_are_plain_json_values(evaluation):
    fields = json.loads(json.dumps(evaluation.to_dict()))
    assert fields["headlines"]["micro_f1"]["value"] == evaluation.headlines["micro_f1"].value
    assert [topic["topic"] for topic in fields["topics"]] == list(TOPICS)


def test_reliability_counts_every_prediction_once(case):
    Y, p, _, _ = case
    rows = reliability_table(Y, p)
    assert sum(row.count for row in rows) == Y.size
    for row in rows:
        last = row.upper == 1.0
        inside = (np.floor(p * 10 + 1e-9) == round(row.lower * 10)) | (last & (p == 1.0))
        assert row.count == inside.sum()
        assert row.mean_probability == pytest.approx(p[inside].mean())
        assert row.observed_share == pytest.approx(Y[inside].mean())


def test_reliability_leaves_empty_bins_out():
    rows = reliability_table(np.array([[1], [0]], dtype=np.int8), np.array([[1.0], [0.05]]))
    assert [(row.lower, row.upper, row.count, row.observed_share) for row in rows] == [
        (0.0, 0.1, 1, 0.0),
        (0.9, 1.0, 1, 1.0),
    ]
