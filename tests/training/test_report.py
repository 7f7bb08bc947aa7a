"""The HTML report: whole, self-contained, and safe with any text in it."""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from topicml.errors import MissingExtraError
from topicml.training.evaluation import LearningPoint, Predictions
from topicml.training.report import render_report

PREDICTIONS = Predictions(
    protocol="Held out <b>& tagged</b>.",
    topics=("baking", "sailing"),
    Y=np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=np.int8),
    probabilities=np.array([[0.9, 0.2], [0.4, 0.7], [0.6, 0.3], [0.1, 0.6]]),
    tags=np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.int8),
    documents=np.array(["a", "a", "b", "b"]),
)


def render(predictions=PREDICTIONS, curve=()):
    predictions = replace(predictions, learning_curve=tuple(curve))
    return render_report(predictions, predictions.evaluate())


def pictures(page):
    return [base64.b64decode(data) for data in re.findall(r"data:image/png;base64,([^\"]+)", page)]


def test_page_loads_nothing_from_elsewhere():
    page = render()
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<script" not in page
    assert "://" not in page


def test_page_is_well_formed_and_escapes_text():
    open_tags = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, _attrs):
            if tag not in {"meta", "img"}:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    page = render()
    Checker().feed(page)
    assert open_tags == []
    assert "Held out &lt;b&gt;&amp; tagged&lt;/b&gt;." in page


def test_figures_of_the_evaluation_stand_in_the_tables():
    evaluation = PREDICTIONS.evaluate()
    page = render()
    assert f"{evaluation.headlines['micro_f1'].value:.3f}" in page
    for topic in evaluation.topics:
        assert f"<td>{topic.topic}</td><td>{topic.support}</td>" in page


def test_every_plot_is_a_picture():
    assert len(pictures(render())) == 3
    with_curve = pictures(render(curve=[LearningPoint(10, 0.4), LearningPoint(20, 0.5)]))
    assert len(with_curve) == 4
    assert all(picture.startswith(b"\x89PNG") for picture in with_curve)


def test_reliability_before_calibration_is_drawn_where_known():
    before = replace(PREDICTIONS, uncalibrated=1 - PREDICTIONS.probabilities)
    assert pictures(render(before))[2] != pictures(render())[2]


def test_calibration_by_source_and_cautions_are_shown():
    sources, lengths = np.array(["article"] * 2 + ["authored"] * 2), np.array([5, 15, 5, 5])
    page = render(replace(PREDICTIONS, sources=sources, lengths=lengths))
    assert "<td>authored</td><td>2</td><td>1</td>" in page
    assert "<td>11 to 20 words</td><td>1</td>" in page
    assert "Caution: 2 documents are few" in page
    assert "Calibration" not in render()  # nothing is known of sources there


def test_topic_that_nobody_has_is_a_dash():
    Y = PREDICTIONS.Y.copy()
    Y[:, 1] = 0
    assert "<td>sailing</td><td>0</td><td>0</td><td>–</td>" in render(replace(PREDICTIONS, Y=Y))


def test_missing_matplotlib_ends_in_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError) as caught:
        render()
    assert "matplotlib" in caught.value.what
    assert "pip install 'topicml[report]'" in caught.value.hint
