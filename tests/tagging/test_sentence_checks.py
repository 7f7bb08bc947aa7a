"""The checks that people read say what the tagger decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import example, given
from hypothesis import strategies as st
from scorers import TEXTS

from topicml import Scorer, load_model
from topicml.scheme import KINDS, Scheme
from topicml.tagging.abstention import REASONS
from topicml.tagging.checks import Check, check_sentence
from topicml.tagging.tagger import decide
from topicml.tagging.thresholds import Thresholds, choose_thresholds
from topicml.text.packed import PackedTexts

SENTENCES = [
    "The dough is in the warm oven.",
    "Nobody answered.",
    "Leave a Reply",
    "Photo: the bread",
    "Der Teig ist nicht in dem Ofen und die Erde auch.",
    "Тесто уже в печи, и хлеб готов.",
    "Quorum bicameral zebra",
    "Quorum bicameral zebra fjord",
    "日本語 42",
    "--- 42",
    "",
]


def checks_and_reason(
    scorer: Scorer, text: str, thresholds: Thresholds
) -> tuple[tuple[Check, ...], str | None]:
    packed = PackedTexts.of([text])
    scores = scorer.score_spans(*packed)
    _, codes = decide(scores, packed, thresholds, scorer.scheme)
    checks = check_sentence(text, scores, scorer.topics, thresholds, scorer.scheme)
    return checks, REASONS[codes.item(0)]


@pytest.fixture(scope="module")
def scorer(tiny: Tiny) -> Scorer:
    return load_model(tiny.folder).scorer


@pytest.mark.parametrize("language", ["en", "de", "ja"])
@pytest.mark.parametrize("kind", KINDS)
@given(st.one_of(st.sampled_from(SENTENCES), TEXTS), st.sampled_from([0.0, 0.3, 1.0, np.inf]))
@example(SENTENCES[0], 0.3)
def test_first_check_that_fails_is_the_reason(
    scorer: Scorer, kind: str, language: str, text: str, threshold: float
) -> None:
    scorer = replace(scorer, scheme=Scheme(kind, language))
    limits = np.full(len(scorer.topics), threshold)
    limits[0] = 0.3
    thresholds = Thresholds(limits, 0.5, scorer.fewest_known)
    if kind == "multiclass":
        thresholds = replace(thresholds, relevance=0.0)
        scorer = replace(scorer, relevance_threshold=0.0)
    checks, reason = checks_and_reason(scorer, text, thresholds)
    assert next((check.reason for check in checks if not check.passed), None) == reason
    assert [REASONS.index(check.reason) for check in checks] == sorted(
        REASONS.index(check.reason) for check in checks
    )
    for check in checks:
        if check.value is not None:
            assert (check.value >= check.limit) is (check.passed is check.must_reach)


def test_what_is_found_and_what_is_asked_for_are_told(scorer: Scorer) -> None:
    thresholds = choose_thresholds(scorer)
    failed = {}
    for text in SENTENCES:
        checks, _ = checks_and_reason(scorer, text, thresholds)
        failed[text] = next((check for check in checks if not check.passed), None)
    assert failed["The dough is in the warm oven."] is None
    assert failed["Leave a Reply"].what == "'leave a reply'"
    assert failed["Photo: the bread"].what == "'photo:'"
    german = failed["Der Teig ist nicht in dem Ofen und die Erde auch."]
    assert (german.value, german.limit, german.must_reach) == (7, 2, False)
    assert "beside 1 of English" in german.what
    assert (failed["Тесто уже в печи, и хлеб готов."].value) == 0.0
    zebra = failed["Quorum bicameral zebra fjord"]
    assert (zebra.reason, zebra.value, zebra.limit) == ("unfamiliar", 0.0, scorer.fewest_known)
    assert (failed["--- 42"].value, failed["--- 42"].limit) == (0, 1)
    assert failed["Nobody answered."].reason in ("no_topic", "below_threshold")
