from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import TAXONOMY_TOML, home_dataset, home_records
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from topicml.errors import TrainingError
from topicml.labels.records import write_labels
from topicml.taxonomy import load_taxonomy
from topicml.training import fit as training
from topicml.training.dataset import load_dataset
from topicml.training.features import Parameters, make_pipeline
from topicml.training.fit import (
    DEFAULT_GRID,
    PRECISIONS,
    Decision,
    best_threshold,
    choose_decision,
    choose_relevance_threshold,
    choose_thresholds,
    cross_validate,
    fit_model,
    nested_predictions,
    precision_thresholds,
    rank_parameters,
    sigmoid,
)

QUICK = Parameters(char_ngrams=None)
RARE = 1  # the column that some tests take out of a fold


def coefficients(model):
    classifier = model.pipeline.named_steps["classifier"]
    members = [*classifier.estimators_, classifier.relevance_]
    return np.vstack([np.append(member.coef_.ravel(), member.intercept_) for member in members])


def with_relevance(Y):
    """Append the column that training adds: the sentence has any topic."""
    return np.column_stack([Y, Y.any(axis=1)])


def relevance(pipeline, texts):
    return pipeline[-1].predict_relevance(pipeline[:-1].transform(texts))


def tags_of(model, texts):
    """Tag with the fitted pipeline, calibration folded in, as its decision says."""
    relevant = relevance(model.pipeline, texts) >= model.decision.relevance_threshold
    likely = model.pipeline.predict_proba(texts) >= model.decision.thresholds
    return likely & relevant[:, None]


def repeated(data, copies):
    return data.subset(np.tile(np.arange(len(data)), copies))


def with_labels(data, rows, value):
    Y = data.Y.copy()
    Y[rows] = value
    return replace(data, Y=Y)


@settings(deadline=None)
@given(st.floats(-700, 700))
def test_sigmoid_is_the_logistic_function(x):
    expected = 1 / (1 + np.exp(-x)) if x >= 0 else np.exp(x) / (1 + np.exp(x))
    assert float(sigmoid(np.array([x]))[0]) == pytest.approx(float(expected), rel=1e-9)


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]


def test_topics_come_from_the_taxonomy_file_alone(tmp_path):
    (tmp_path / "taxonomy.toml").write_text(TAXONOMY_TOML, encoding="utf-8")
    write_labels(tmp_path / "home.jsonl", home_records())
    taxonomy = load_taxonomy(tmp_path / "taxonomy.toml")
    data = load_dataset([tmp_path / "home.jsonl"], taxonomy)
    model = fit_model(data, QUICK)
    texts = [
        "Fry the garlic in butter and bake the bread.",
        "Mulch the soil and sow the seeds.",
        "A chess museum on the river.",
    ]
    tags = tags_of(model, texts)
    assert tags.tolist() == [[True, False], [False, True], [False, False]]
    assert model.parameters == QUICK
    assert model.candidates == ()


def test_training_twice_gives_identical_numbers():
    first, second = fit_model(home_dataset(), QUICK), fit_model(home_dataset(), QUICK)
    np.testing.assert_array_equal(coefficients(first), coefficients(second))
    for name in Decision.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first.decision, name), getattr(second.decision, name))


@pytest.mark.parametrize("copies", [1, 4], ids=["own log-odds only", "stacked"])
@pytest.mark.parametrize("parameters", [QUICK, replace(QUICK, nb_mixing=0.5)])
def test_calibration_is_folded_into_the_pipeline(parameters, copies):
    data = repeated(home_dataset(), copies)
    decision = choose_decision(data.Y, cross_validate(data, parameters, data.grouped_splits()))
    plain = make_pipeline(parameters).fit(data.texts, with_relevance(data.Y))
    log_odds = plain.decision_function(data.texts)
    expected = decision.probabilities(log_odds)
    folded = fit_model(data, parameters)
    np.testing.assert_allclose(folded.pipeline.predict_proba(data.texts), expected, atol=1e-9)
    np.testing.assert_allclose(
        relevance(folded.pipeline, data.texts),
        sigmoid(log_odds @ decision.weights[-1] + decision.offset[-1]),
        atol=1e-9,
    )
    np.testing.assert_array_equal(tags_of(folded, data.texts), decision.tags(log_odds))
    for name in Decision.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(folded.decision, name), getattr(decision, name))
    assert np.abs(plain.predict_proba(data.texts)[:, :-1] - expected).max() > 0.01


@pytest.mark.parametrize(("copies", "stacked"), [(1, False), (4, True)])
def test_topics_with_enough_sentences_learn_from_the_other_topics(copies, stacked):
    data = repeated(home_dataset(), copies)
    weights = choose_decision(data.Y, cross_validate(data, QUICK, data.grouped_splits())).weights
    others = weights * (1 - np.eye(3))
    assert weights.shape == (3, 3)
    assert (np.diag(weights) > 0).all()
    assert bool(others[:2, :2].any()) is stacked
    assert bool(others[:2, 2].any()) is stacked
    assert not others[2].any()  # relevance takes its own log-odds alone


def test_search_takes_the_best_of_all_candidates():
    model = fit_model(home_dataset())
    scores = [candidate.macro_average_precision for candidate in model.candidates]
    assert len(scores) == len(DEFAULT_GRID) + 1
    assert scores == sorted(scores, reverse=True)
    assert model.parameters == model.candidates[0].parameters


def test_candidates_are_scored_as_sklearn_scores_them():
    data = home_dataset()
    splits = data.grouped_splits()
    grid = (QUICK, Parameters(C=0.01), replace(QUICK, nb_mixing=1.0))
    ranked = rank_parameters(data, grid, splits)
    assert {candidate.parameters for candidate in ranked} == set(grid)
    for candidate in ranked:
        log_odds = cross_validate(data, candidate.parameters, splits)[:, :2]
        assert candidate.macro_average_precision == pytest.approx(
            average_precision_score(data.Y, log_odds, average="macro")
        )
        assert candidate.micro_f1 == pytest.approx(
            f1_score(data.Y, log_odds >= 0, average="micro", zero_division=0)
        )


def test_candidates_are_scored_on_tested_rows_only():
    data = home_dataset()
    splits = data.grouped_splits()[:2]
    tested = np.concatenate([test for _, test in splits])
    log_odds = cross_validate(data, QUICK, splits)[tested, :2]
    candidate = rank_parameters(data, [QUICK], splits)[0]
    assert candidate.macro_average_precision == pytest.approx(
        average_precision_score(data.Y[tested], log_odds, average="macro")
    )


@pytest.mark.parametrize("parameters", [QUICK, Parameters(nb_mixing=0.5)])
def test_cross_validation_predicts_each_fold_from_the_others(parameters):
    data = home_dataset()
    log_odds = cross_validate(data, parameters, data.grouped_splits())
    for train, test in data.grouped_splits():
        inner, outer = data.subset(train), data.subset(test)
        expected = make_pipeline(parameters).fit(inner.texts, with_relevance(inner.Y))
        np.testing.assert_allclose(
            log_odds[test], expected.decision_function(outer.texts), atol=1e-9
        )


def test_rows_in_no_test_fold_have_no_prediction():
    data = home_dataset()
    split = data.grouped_splits()[0]
    log_odds = cross_validate(data, QUICK, [split])
    assert np.isfinite(log_odds[split[1]]).all()
    assert np.isnan(log_odds[split[0]]).all()


def test_topic_absent_from_the_training_fold_is_never_given():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    data = with_labels(data, (train, RARE), 0)
    log_odds = cross_validate(data, QUICK, [(train, test)])[test]
    assert sigmoid(log_odds[:, RARE]).max() < 1e-9
    assert np.ptp(log_odds[:, 1 - RARE]) > 0


def test_topic_on_every_sentence_of_the_training_fold_is_always_given():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    data = with_labels(data, (train, RARE), 1)
    log_odds = cross_validate(data, QUICK, [(train, test)])[test]
    assert sigmoid(log_odds[:, RARE]).min() > 1 - 1e-9


def test_topic_in_one_group_only_can_be_trained_and_evaluated():
    data = home_dataset()
    data = with_labels(data, (np.flatnonzero(data.groups != "winter"), RARE), 0)
    model = fit_model(data, QUICK)
    assert np.isfinite(model.pipeline.predict_proba(data.texts)).all()
    probabilities, tags = nested_predictions(data, data.grouped_splits(), QUICK)
    winter = data.groups == "winter"
    assert not tags[winter, RARE].any()
    assert (probabilities[winter, RARE] < 0.1).all()  # under any threshold there can be
    assert tags[:, 1 - RARE].any()
    assert np.isfinite(probabilities).all()


def test_one_topic_is_enough():
    data = home_dataset()
    data = replace(data, topics=data.topics[:1], Y=data.Y[:, :1])
    model = fit_model(data, QUICK)
    probabilities = model.pipeline.predict_proba(data.texts)
    assert probabilities.shape == (len(data), 1)
    assert model.decision.thresholds.shape == (1,)
    assert model.decision.precision_thresholds.shape == (1, len(PRECISIONS))
    assert probabilities[:, 0][data.Y[:, 0] == 1].min() > model.decision.thresholds[0]
    assert probabilities[:, 0][data.Y[:, 0] == 0].max() < model.decision.thresholds[0]
    np.testing.assert_array_equal(tags_of(model, data.texts), data.Y)
    nested, tags = nested_predictions(data, data.grouped_splits(), QUICK)
    assert nested.shape == tags.shape == (len(data), 1)
    assert np.isfinite(nested).all()


@pytest.mark.parametrize("value", [0, 1])
def test_topic_on_no_or_on_every_sentence_is_refused(value):
    data = home_dataset()
    with pytest.raises(TrainingError) as caught:
        fit_model(with_labels(data, (slice(None), RARE), value), QUICK)
    assert caught.value.what == f"topic 'gardening' is on {32 * value} of 32 sentences"
    assert caught.value.where is None
    assert "with and without it" in caught.value.hint


def test_sentences_of_one_group_are_refused():
    with pytest.raises(TrainingError) as caught:
        fit_model(home_dataset().subset(np.arange(8)), QUICK)
    assert caught.value.what == "all 8 sentences belong to one article"
    assert caught.value.where is None
    assert "at least two" in caught.value.hint


@pytest.mark.parametrize("parameters", [QUICK, None], ids=["fixed", "searched"])
def test_labels_of_the_test_fold_do_not_change_its_predictions(parameters):
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    honest = nested_predictions(data, [(train, test)], parameters)
    flipped = with_labels(data, test, 1 - data.Y[test])
    for before, after in zip(
        honest, nested_predictions(flipped, [(train, test)], parameters), strict=True
    ):
        np.testing.assert_array_equal(before, after)
        assert np.isfinite(after[test]).all()


def test_labels_of_the_training_fold_do_change_predictions():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    before, _ = nested_predictions(data, [(train, test)], QUICK)
    relabelled = with_labels(data, train, data.Y[train][:, ::-1])
    after, _ = nested_predictions(relabelled, [(train, test)], QUICK)
    np.testing.assert_allclose(after[test], before[test][:, ::-1], atol=1e-6)
    assert np.abs(after[test] - before[test]).max() > 0.1


def test_texts_of_the_other_test_sentences_do_not_change_a_prediction():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    before, _ = nested_predictions(data, [(train, test)], QUICK)
    texts = list(data.texts)
    for row in test[1:]:
        texts[row] = "Fry the fry the fry."
    after, _ = nested_predictions(replace(data, texts=tuple(texts)), [(train, test)], QUICK)
    np.testing.assert_array_equal(before[test[0]], after[test[0]])


def test_nested_predictions_equal_a_model_fitted_on_the_training_fold():
    data = home_dataset()
    splits = data.grouped_splits()
    probabilities, tags = nested_predictions(data, splits, QUICK)
    for train, test in splits:
        model = fit_model(data.subset(train), QUICK)
        texts = data.subset(test).texts
        np.testing.assert_allclose(
            probabilities[test], model.pipeline.predict_proba(texts), atol=1e-9
        )
        np.testing.assert_array_equal(tags[test], tags_of(model, texts))
    assert set(np.unique(tags)) == {0, 1}


def test_nested_tags_heed_the_relevance_threshold_of_their_fold(monkeypatch):
    data = home_dataset()
    splits = data.grouped_splits()
    _, unbound = nested_predictions(data, splits, QUICK)
    monkeypatch.setattr(training, "choose_relevance_threshold", lambda *_: 0.8)
    probabilities, tags = nested_predictions(data, splits, QUICK)
    assert (tags <= unbound).all()
    assert 0 < tags.sum() < unbound.sum()
    for train, test in splits:
        model = fit_model(data.subset(train), QUICK)
        texts = data.subset(test).texts
        assert model.decision.relevance_threshold == 0.8
        np.testing.assert_allclose(
            probabilities[test], model.pipeline.predict_proba(texts), atol=1e-9
        )
        np.testing.assert_array_equal(tags[test], tags_of(model, texts))


def test_training_without_an_empty_sentence_leaves_all_relevant():
    data = home_dataset()
    data = data.subset(data.Y.any(axis=1))
    model = fit_model(data, QUICK)
    assert model.decision.relevance_threshold == 0
    assert relevance(model.pipeline, data.texts).min() > 1 - 1e-9
    np.testing.assert_array_equal(tags_of(model, data.texts), data.Y)


def test_calibration_is_a_logistic_regression_on_the_topics_own_log_odds():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60).astype(np.int8)
    log_odds = np.column_stack([rng.normal(size=60) + y, rng.normal(size=60)])
    decision = choose_decision(y[:, None], log_odds)
    platt = LogisticRegression().fit(log_odds[:, [0]], y)
    np.testing.assert_allclose(
        decision.probabilities(log_odds)[:, 0],
        platt.predict_proba(log_odds[:, [0]])[:, 1],
        atol=1e-6,
    )


@pytest.mark.parametrize("positives", [3, 57])
def test_too_few_labels_leave_the_log_odds_as_they_are(positives):
    y = (np.arange(60) < positives).astype(np.int8)[:, None]
    log_odds = np.column_stack([np.linspace(3, -3, 60)] * 2)
    probabilities = choose_decision(y, log_odds).probabilities(log_odds)
    np.testing.assert_allclose(probabilities, sigmoid(log_odds[:, :1]))


def test_calibration_never_turns_a_ranking_round():
    y = (np.arange(60) < 30).astype(np.int8)[:, None]
    log_odds = np.column_stack([np.linspace(-3, 3, 60)] * 2)
    probabilities = choose_decision(y, log_odds).probabilities(log_odds)[:, 0]
    assert (np.diff(probabilities) > 0).all()


def test_decision_weighs_and_shifts_log_odds_per_topic():
    weights = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 3.0]])
    decision = make_decision(weights, np.array([0.0, -1.0, 7.0]))
    found = decision.probabilities(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 4.0]]))
    expected = [[0.5, 0.5], [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1))]]
    np.testing.assert_allclose(found, expected)


def make_decision(weights=None, offset=None, thresholds=(0.5, 0.5), relevance_threshold=0.0):
    return Decision(
        np.eye(3) if weights is None else weights,
        np.zeros(3) if offset is None else offset,
        np.array(thresholds),
        relevance_threshold,
        np.full((2, len(PRECISIONS)), np.nan),
    )


def test_probability_at_its_topics_threshold_is_a_tag():
    decision = make_decision(thresholds=(0.5, sigmoid(np.array([1.0]))[0]))
    found = decision.tags(np.array([[0.0, 1.0, 0.0], [-1e-9, 1 - 1e-9, 0.0]]))
    assert found.tolist() == [[1, 1], [0, 0]]
    assert found.dtype == np.int8


def test_relevance_under_its_threshold_takes_every_tag():
    decision = make_decision(relevance_threshold=0.5)
    found = decision.tags(np.array([[9.0, 9.0, 0.0], [9.0, -9.0, 1.0], [9.0, 9.0, -1e-9]]))
    assert found.tolist() == [[1, 1], [1, 0], [0, 0]]


def test_relevance_is_calibrated_before_it_is_compared():
    decision = make_decision(offset=np.array([0.0, 0.0, 2.0]), relevance_threshold=0.5)
    assert decision.tags(np.array([[1.0, 1.0, -1.9], [1.0, 1.0, -2.1]])).tolist() == [
        [1, 1],
        [0, 0],
    ]
    decision = make_decision(weights=np.diag([1.0, 1.0, -1.0]), relevance_threshold=0.5)
    assert decision.tags(np.array([[1.0, 1.0, 3.0], [1.0, 1.0, -3.0]])).tolist() == [[0, 0], [1, 1]]


def naive_micro_f1(Y, tags):
    pairs = [
        (y, t) for row, given in zip(Y, tags, strict=True) for y, t in zip(row, given, strict=True)
    ]
    hits = sum(1 for y, t in pairs if y and t)
    total = sum(1 for y, _ in pairs if y) + sum(1 for _, t in pairs if t)
    return 2 * hits / total if total else 0.0


def naive_relevance_threshold(Y, tags, relevance_of):
    """Try every cut; keep the highest that costs at most half a point."""
    if sum(1 for row in Y if not any(row)) < 50:
        return 0.0
    all_kept, best = naive_micro_f1(Y, tags), 0.0
    for cut in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        kept = [
            [bool(t) and r >= cut for t in given]
            for given, r in zip(tags, relevance_of, strict=True)
        ]
        if naive_micro_f1(Y, kept) >= all_kept - 0.005:
            best = cut
    return best


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), empty=st.integers(45, 90), signal=st.floats(0, 1))
def test_relevance_threshold_is_the_highest_that_costs_hardly_any_f1(seed, empty, signal):
    rng = np.random.default_rng(seed)
    Y = np.vstack([np.zeros((empty, 3)), rng.random((60, 3)) < 0.6]).astype(np.int8)
    tags = (Y == 1) ^ (rng.random(Y.shape) < 0.2)
    relevance_of = signal * Y.any(axis=1) + (1 - signal) * rng.random(len(Y))
    expected = naive_relevance_threshold(Y.tolist(), tags.tolist(), relevance_of.tolist())
    assert choose_relevance_threshold(Y, tags, relevance_of) == expected


@pytest.mark.parametrize(("empty", "expected"), [(49, 0.0), (50, 0.7)])
def test_relevance_threshold_needs_fifty_sentences_without_a_topic(empty, expected):
    Y = (np.arange(empty + 20) >= empty).astype(np.int8)[:, None]
    tags = np.ones(Y.shape, dtype=bool)
    assert choose_relevance_threshold(Y, tags, Y[:, 0].astype(float)) == expected


def test_relevance_threshold_pays_no_more_than_half_a_point():
    Y = (np.arange(500) >= 100).astype(np.int8)[:, None]
    relevance_of = np.where(Y[:, 0] == 1, 0.9, 0.1)
    relevance_of[-3:] = 0.42  # 3 of 400 cost 0.4 of a point, 8 cost a whole one
    relevance_of[-8:-3] = 0.52
    assert choose_relevance_threshold(Y, Y == 1, relevance_of) == 0.5
    relevance_of[-8:-3] = 0.42
    assert choose_relevance_threshold(Y, Y == 1, relevance_of) == 0.4


def naive_precision_threshold(y, p, wanted):
    """Try every probability as a cut, the lowest first."""
    for cut in sorted(set(p)):
        given = [label for label, value in zip(y, p, strict=True) if value >= cut]
        if len(given) >= 10 and sum(given) / len(given) >= wanted:
            return cut
    return float("nan")


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(5, 60),
    signal=st.floats(0, 0.9),
    steps=st.sampled_from([7, 50, 10_000]),
)
def test_precision_thresholds_are_the_lowest_that_reach_each_precision(seed, n, signal, steps):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, 3)) < [0.5, 0.2, 0.0]).astype(np.int8)
    p = np.round((signal * Y + (1 - signal) * rng.random((n, 3))) * steps) / steps
    found = precision_thresholds(Y, p)
    expected = [
        [
            naive_precision_threshold(y.tolist(), column.tolist(), k) if y.any() else float("nan")
            for k in PRECISIONS
        ]
        for y, column in zip(Y.T, p.T, strict=True)
    ]
    np.testing.assert_array_equal(found, np.array(expected))
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(("count", "expected"), [(9, float("nan")), (10, 0.9)])
def test_precision_of_fewer_than_ten_tags_does_not_count(count, expected):
    y = (np.arange(40) < count).astype(np.int8)[:, None]
    p = np.where(y == 1, 0.9, 0.0)
    np.testing.assert_array_equal(precision_thresholds(y, p)[0], [expected] * len(PRECISIONS))


def test_decision_holds_what_is_chosen_on_calibrated_probabilities():
    rng = np.random.default_rng(2)
    Y = (rng.random((300, 2)) < 0.3).astype(np.int8)
    log_odds = np.column_stack([Y, 4 * Y.any(axis=1)]) - [0.5, 0.5, 2] + rng.normal(size=(300, 3))
    decision = choose_decision(Y, log_odds)
    probabilities = decision.probabilities(log_odds)
    relevance_of = sigmoid(log_odds @ decision.weights[-1] + decision.offset[-1])
    np.testing.assert_array_equal(decision.thresholds, choose_thresholds(Y, probabilities))
    np.testing.assert_array_equal(
        decision.precision_thresholds, precision_thresholds(Y, probabilities)
    )
    assert decision.precisions == PRECISIONS
    assert decision.relevance_threshold == naive_relevance_threshold(
        Y.tolist(), (probabilities >= decision.thresholds).tolist(), relevance_of.tolist()
    )
    assert decision.relevance_threshold > 0
    platt = LogisticRegression().fit(log_odds[:, [2]], Y.any(axis=1))
    np.testing.assert_allclose(relevance_of, platt.predict_proba(log_odds[:, [2]])[:, 1], atol=1e-6)


def naive_best_f1(y, p):
    """Try a cut below each probability."""
    best = 0.0
    for cut in set(p):
        tags = [value >= cut for value in p]
        hits = sum(tag and label for tag, label in zip(tags, y, strict=True))
        best = max(best, 2 * hits / (sum(tags) + sum(y)))
    return best


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(10, 90)), min_size=1, max_size=25).filter(
        lambda pairs: any(label for label, _ in pairs)
    )
)
def test_threshold_reaches_the_best_f1_there_is(pairs):
    y = np.array([label for label, _ in pairs], dtype=np.int8)
    p = np.array([percent / 100 for _, percent in pairs])
    threshold = best_threshold(y, p)
    reached = f1_score(y, p >= threshold, zero_division=0)
    assert reached == pytest.approx(naive_best_f1(y.tolist(), p.tolist()))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=25))
def test_threshold_stays_between_a_tenth_and_nine_tenths(pairs):
    y = np.array([label for label, _ in pairs], dtype=np.int8)
    threshold = best_threshold(y, np.array([p for _, p in pairs]))
    assert 0.1 <= threshold <= 0.9


def test_threshold_lies_half_way_to_the_next_lower_probability():
    y = np.array([0, 0, 1, 1], dtype=np.int8)
    assert best_threshold(y, np.array([0.2, 0.3, 0.6, 0.8])) == pytest.approx(0.45)


def test_topic_without_a_sentence_gets_the_highest_threshold():
    assert best_threshold(np.zeros(3, dtype=np.int8), np.array([0.1, 0.5, 0.99])) == 0.9


def test_thresholds_are_chosen_topic_by_topic():
    Y = np.array([[0, 1], [1, 1], [1, 0]], dtype=np.int8)
    p = np.array([[0.2, 0.7], [0.4, 0.6], [0.9, 0.2]])
    assert choose_thresholds(Y, p).tolist() == pytest.approx([0.3, 0.4])
