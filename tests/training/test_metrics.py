from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_recall_fscore_support,
)

from topicml.training.intervals import UNDEFINED
from topicml.training.metrics import (
    HEADLINES,
    TOPIC_FIGURES,
    Documents,
    average_precisions,
    calibration_error,
    evaluate_predictions,
    expected_calibration_errors,
    headline_jackknifes,
    reliability_table,
    topic_average_precision,
    topic_f1,
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
    return evaluate_predictions(TOPICS, *case)


def naive_ece(y, p):
    total = 0.0
    for lower in range(10):
        members = [i for i in range(len(y)) if min(int(p[i] * 10), 9) == lower]
        if members:
            confidence = sum(p[i] for i in members) / len(members)
            accuracy = sum(y[i] for i in members) / len(members)
            total += len(members) * abs(confidence - accuracy)
    return total / len(y)


def labelled(max_size=30):
    """Labels, probabilities with ties, and documents; some sentence carries the topic."""
    row = st.tuples(
        st.integers(0, 1),
        st.sampled_from([0.0, 0.2, 0.5, 0.55, 1.0]) | st.integers(0, 997).map(lambda i: i / 997),
        st.integers(0, 4),
    )
    return st.lists(row, min_size=1, max_size=max_size).filter(
        lambda rows: any(label for label, _, _ in rows)
    )


def columns(rows):
    y, p, documents = (np.array(column) for column in zip(*rows, strict=True))
    return y.astype(np.int8), p, Documents.of(documents.astype(np.str_))


@settings(deadline=None)
@given(labelled())
def test_average_precision_equals_sklearns_with_and_without_each_document(rows):
    y, p, by = columns(rows)
    expected = [average_precision_score(y, p)]
    for document in range(by.count):
        kept = by.rows != document
        some = y[kept].any()
        expected.append(average_precision_score(y[kept], p[kept]) if some else np.nan)
    np.testing.assert_allclose(topic_average_precision(y, p, by), expected, atol=1e-9)


def test_average_precision_without_a_positive_is_undefined():
    by = Documents.of(np.array(["x", "y"]))
    found = topic_average_precision(np.zeros(2, np.int8), np.array([0.9, 0.1]), by)
    assert np.isnan(found).all()


@settings(deadline=None)
@given(labelled())
def test_calibration_error_equals_the_naive_sum_over_bins(rows):
    y, p, _ = columns(rows)
    both = expected_calibration_errors(np.column_stack([y, 1 - y]), np.column_stack([p, p]))
    assert both == pytest.approx([naive_ece(y, p), naive_ece(1 - y, p)], abs=1e-9)


def test_calibration_error_of_certain_and_right_is_zero_and_of_certain_and_wrong_one():
    Y = np.array([[1], [0]], dtype=np.int8)
    assert expected_calibration_errors(Y, Y.astype(np.float64)) == [0.0]
    assert expected_calibration_errors(Y, 1.0 - Y) == [1.0]


def test_calibration_error_has_no_interval_and_says_what_chance_alone_gives():
    rng = np.random.default_rng(0)
    p = rng.random((300, 3))
    drawn = [calibration_error((rng.random(p.shape) < p).astype(np.int8), p) for _ in range(200)]
    assert {(found.low, found.high) for found in drawn} == {(None, None)}
    assert drawn[0].note is not None
    said = float(re.findall(r"alone: (\S+)", drawn[0].note)[0])
    assert said == pytest.approx(np.mean([found.value for found in drawn]), rel=0.05)


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
        assert scores.expected_calibration_error == pytest.approx(naive_ece(Y[:, t], p[:, t]))


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
        np.mean([naive_ece(Y[:, t], p[:, t]) for t in range(4)])
    )


def scored_anew(Y, p, tags):
    """The headline figures by scikit-learn."""
    present, empty = Y.any(axis=0), ~Y.any(axis=1)
    ranking = [average_precision_score(Y[:, t], p[:, t]) for t in np.flatnonzero(present)]
    return {
        "micro_f1": f1_score(Y, tags, average="micro", zero_division=0),
        "macro_f1": f1_score(Y[:, present], tags[:, present], average="macro", zero_division=0),
        "samples_f1": f1_score(Y, tags, average="samples", zero_division=1),
        "macro_average_precision": np.mean(ranking),
        "false_tag_rate": tags[empty].any(axis=1).mean(),
    }


def test_figures_without_a_document_are_those_of_the_other_documents(case):
    Y, p, tags, documents = case
    by = Documents.of(documents)
    found = headline_jackknifes(Y, average_precisions(Y, p, by), tags, by)
    for document in range(by.count):
        kept = by.rows != document
        for name, value in scored_anew(Y[kept], p[kept], tags[kept]).items():
            assert found[name].without[document] == pytest.approx(value), name
        for t, figure in enumerate(topic_f1(Y, tags, by)[:3]):
            expected = f1_score(Y[kept][:, t], tags[kept][:, t], zero_division=0)
            assert figure.without[document] == pytest.approx(expected)


def test_documents_count_that_have_what_a_figure_is_about(case):
    Y, p, tags, documents = case
    by = Documents.of(documents)
    found = headline_jackknifes(Y, average_precisions(Y, p, by), tags, by)
    empty = ~Y.any(axis=1)
    assert found["samples_f1"].documents == 9
    assert found["false_tag_rate"].documents == len(set(documents[empty].tolist()))
    assert found["macro_f1"].documents == len(set(documents[~empty].tolist()))


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
    right = evaluate_predictions(("a",), Y, probabilities, Y, documents)
    assert right.headlines["micro_f1"].value == 1.0
    assert right.headlines["false_tag_rate"].value == 0.0
    assert right.topics[0].f1 == right.document_micro_f1 == 1.0
    wrong = evaluate_predictions(("a",), Y, probabilities, 1 - Y, documents)
    assert wrong.headlines["micro_f1"].value == 0.0
    assert wrong.headlines["false_tag_rate"].value == 1.0
    assert wrong.topics[0].f1 == wrong.document_micro_f1 == 0.0


def test_tags_may_follow_any_rule(case):
    Y, p, _, documents = case
    own = (p >= np.random.default_rng(5).random(Y.shape)).astype(np.int8)
    found = evaluate_predictions(TOPICS, Y, p, own, documents)
    assert found.headlines["micro_f1"].value == pytest.approx(f1_score(Y, own, average="micro"))


def test_ranking_and_calibration_do_not_depend_on_tags(case, evaluation):
    Y, p, tags, documents = case
    found = evaluate_predictions(TOPICS, Y, p, 1 - tags, documents)
    for key in ("macro_average_precision", "expected_calibration_error"):
        assert found.headlines[key] == evaluation.headlines[key]
    assert found.reliability == evaluation.reliability
    assert found.brier == evaluation.brier
    assert found.headlines["micro_f1"] != evaluation.headlines["micro_f1"]


def thrice(case):
    """The same sentences in three times as many documents."""
    Y, p, tags, documents = case
    named = np.concatenate([np.char.add(documents, f"-{n}") for n in range(3)])
    return (*(np.tile(part, (3, 1)) for part in (Y, p, tags)), named)


def test_intervals_hold_the_value_and_have_width(case):
    evaluation = evaluate_predictions(TOPICS, *thrice(case))
    figures = [evaluation.headlines[name] for name in HEADLINES[:5]]
    figures += [i for topic in evaluation.topics[:2] for i in topic.intervals.values()]
    for interval in figures:
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
        assert interval.low < interval.high


def test_intervals_do_not_depend_on_names_or_order(case, evaluation):
    Y, p, tags, documents = case
    order = np.random.default_rng(2).permutation(len(Y))
    renamed = np.array([f"{name[::-1]}!" for name in documents[order]])
    again = evaluate_predictions(TOPICS, Y[order], p[order], tags[order], renamed)
    for name in HEADLINES:
        found, expected = again.headlines[name], evaluation.headlines[name]
        ends = expected.value, expected.low, expected.high
        assert (found.value, found.low, found.high) == pytest.approx(ends), name


def test_one_document_has_no_interval_and_says_why(case):
    Y, p, tags, _ = case
    one = evaluate_predictions(TOPICS, Y, p, tags, np.array(["x"] * 60))
    for name in HEADLINES[:4]:
        interval = one.headlines[name]
        assert (interval.low, interval.high) == (None, None)
        assert interval.note == "1 document tells of it, 3 are needed"
    assert "1 document is few" in one.cautions[0]
    assert one.figure_rows()[0][2] == f"– ({interval.note})"


def test_rate_of_false_tags_of_few_sentences_has_no_interval(case):
    Y, p, tags, documents = case
    assert 0 < (~Y.any(axis=1)).sum() < 30
    found = evaluate_predictions(TOPICS, Y, p, tags, documents).headlines["false_tag_rate"]
    assert found.value is not None
    assert (found.low, found.note) == (None, "fewer than 30 sentences have no topic")
    more = evaluate_predictions(TOPICS, *thrice(case)).headlines["false_tag_rate"]
    assert more.low < more.value < more.high


def test_topic_that_few_sentences_carry_has_values_without_intervals(case):
    Y, p, tags, documents = thrice(case)
    rare = Y.copy()
    rare[np.flatnonzero(rare[:, 2])[4:], 2] = 0
    found = evaluate_predictions(TOPICS, rare, p, tags, documents)
    topic = found.topics[2]
    assert (topic.support, topic.documents) == (4, len(set(documents[rare[:, 2] > 0].tolist())))
    for name in TOPIC_FIGURES:
        assert topic.intervals[name].value == getattr(topic, name)
        assert topic.intervals[name].low is None
        assert "documents carry it" in topic.intervals[name].note
        assert found.topics[0].intervals[name].low < found.topics[0].intervals[name].high
    assert "carry c, d: no intervals" in found.cautions[-1]


def test_many_documents_with_common_topics_have_no_caution():
    rng = np.random.default_rng(0)
    Y = (rng.random((200, 2)) < 0.4).astype(np.int8)
    documents = np.array([f"d{i % 40}" for i in range(200)])
    assert evaluate_predictions(("a", "b"), Y, Y * 0.9, Y, documents).cautions == ()


def test_perfect_figures_have_intervals_of_some_width():
    rng = np.random.default_rng(0)
    Y = (rng.random((100, 2)) < 0.4).astype(np.int8)
    documents = np.array([f"d{i % 30}" for i in range(100)])
    found = evaluate_predictions(("a", "b"), Y, Y.astype(np.float64), Y, documents)
    assert {found.headlines[n].value for n in HEADLINES[:4]} == {1.0}
    for name in HEADLINES[:4]:
        assert 0.8 < found.headlines[name].low < 0.95  # of 30 documents none was wrong
    assert found.headlines["false_tag_rate"].value == 0
    assert 0.05 < found.headlines["false_tag_rate"].high < 0.2


def test_false_tag_rate_is_undefined_where_every_sentence_has_a_topic():
    Y = np.ones((3, 1), dtype=np.int8)
    found = evaluate_predictions(("a",), Y, Y * 0.9, Y, np.array(["x", "y", "z"]))
    assert found.headlines["false_tag_rate"] == UNDEFINED


def test_calibration_is_shown_by_source_and_length_and_the_headline_is_of_real_text(case):
    Y, p, tags, documents = case
    sources = np.where(np.arange(60) < 21, "article", "authored")
    lengths = np.arange(60)
    found = evaluate_predictions(TOPICS, Y, p, tags, documents, sources=sources, lengths=lengths)
    parts = {part.part: part for part in found.calibration}
    assert list(parts) == ["article", "authored", "1 to 10 words", "11 to 20 words"]
    real = parts["article"]
    assert found.headlines["expected_calibration_error"] == real.error
    assert (real.sentences, real.documents) == (21, 3)
    assert real.error.value == pytest.approx(
        np.mean([naive_ece(Y[:21, t], p[:21, t]) for t in range(4)])
    )
    assert real.mean_probability == pytest.approx(p[:21].mean())
    assert parts["authored"].observed_share == pytest.approx(Y[21:].mean())
    assert parts["1 to 10 words"].sentences == 10  # real text alone
    assert sum(b.count for b in found.reliability) == 21 * 4


def test_calibration_of_authored_text_alone_is_the_headline(case, evaluation):
    sources = np.full(60, "authored")
    found = evaluate_predictions(TOPICS, *case, sources=sources)
    name = "expected_calibration_error"
    assert found.headlines[name] == evaluation.headlines[name]


def test_figures_can_be_written_as_strict_json():
    Y = np.array([[1], [1], [1]], dtype=np.int8)  # no sentence is empty: no false-tag rate
    documents = np.array(["x", "y", "z"])
    probabilities = np.array([[0.5], [0.9], [0.2]])
    tags = (probabilities >= 0.5).astype(np.int8)
    found = evaluate_predictions(("a",), Y, probabilities, tags, documents)
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
