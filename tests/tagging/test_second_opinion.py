"""Sentences that the first model is unsure of, and what becomes of them."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.models.folder import Model, open_model
from topicml.models.tagger import make_tagger
from topicml.tagging.second_opinion import SHARES, margin_for, margins, margins_of_shares
from topicml.tagging.thresholds import Thresholds
from topicml.text.document import Document

TEXT = (
    "She kneads the dough before the oven is hot. They hoisted the sails at noon.\n\n"
    "The rose and the boat wait. Nobody answered the telephone. Leave a reply\n\n"
    "Das Brot wird nicht mit dem Schiff geliefert."
)
TEXTS = [TEXT, "", "The yacht left the harbour with bread and beans.", "Wind. Soil. Dough!"]
LOG_ODDS = st.floats(-4, 4).map(lambda number: round(number, 2))


def probability(log_odds: Any) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-np.asarray(log_odds, dtype=float)))
    return found


def tags(log_odds: NDArray[np.float64], cuts: NDArray[np.float64]) -> list[bool]:
    *topics, relevant = (log_odds >= cuts).tolist()
    return [given and relevant for given in topics]


def can_change(log_odds: NDArray[np.float64], cuts: NDArray[np.float64], by: float) -> bool:
    """Whether some change of each number by at most so much gives other tags."""
    moves = itertools.product((-by, 0.0, by), repeat=len(log_odds))
    return any(tags(log_odds + move, cuts) != tags(log_odds, cuts) for move in moves)


@given(st.lists(LOG_ODDS, min_size=3, max_size=3), st.lists(LOG_ODDS, min_size=3, max_size=3))
def test_the_margin_is_the_least_change_that_gives_other_tags(
    log_odds: list[float], cuts: list[float]
) -> None:
    said, needed = np.array(log_odds), np.array(cuts)
    thresholds = Thresholds(probability(needed[:-1]), float(probability(needed[-1])))
    (margin,) = margins(probability(said)[None, :-1], probability(said)[-1:], thresholds)
    assert margin < 1e-6 or not can_change(said, needed, margin - 1e-6)
    assert can_change(said, needed, margin + 1e-6)


def test_an_open_gate_and_a_topic_never_given_need_no_thought() -> None:
    thresholds = Thresholds(np.array([0.5, np.inf]), 0.0)
    found = margins(np.array([[0.5, 0.9], [0.9, 1.0]]), np.array([0.1, 0.0]), thresholds)
    np.testing.assert_allclose(found, [0.0, np.log(9)], atol=1e-9)


@given(
    st.lists(st.tuples(st.floats(0, 9), st.sampled_from([0.0, 0.5, 3.0])), min_size=1, max_size=40)
)
def test_a_margin_is_that_of_a_share_of_ordinary_text(rows: list[tuple[float, float]]) -> None:
    found, weights = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if not weights.any():
        weights[:] = 1
    for share, margin in zip(SHARES, margins_of_shares(found, weights), strict=True):
        within = weights[found <= margin].sum() / weights.sum()
        under = weights[found < margin].sum() / weights.sum()
        assert within >= share - 1e-9
        assert under <= share + 1e-9


def test_a_share_between_two_that_are_known_lies_between_their_margins() -> None:
    known = [float(n) for n in range(len(SHARES))]
    assert [margin_for(share, known) for share in SHARES[1:-1]] == known[1:-1]
    assert margin_for(0.125, known) == pytest.approx(4.5)
    assert margin_for(0.0, known) == -np.inf  # nothing at all
    assert margin_for(1.0, known) == np.inf  # everything


@pytest.fixture(scope="module")
def first(tiny: Tiny) -> Model:
    return open_model(tiny.folder)


@pytest.fixture(scope="module")
def second(first: Model) -> Model:
    """The same words, and the topics in another order: as different as a model can be."""
    blocks = tuple(
        block._replace(coefficients=block.coefficients[:, [1, 2, 0, 3]])
        for block in first.scorer.blocks
    )
    backends = type(first.scorer.backends)(blocks)
    scorer = replace(first.scorer, blocks=blocks, backends=backends)
    return replace(first, scorer=scorer, manifest={**first.manifest, "version": "2.0.0"})


def sentences(model: Model, **options: Any) -> list[dict[str, Any]]:
    documents = [Document(f"{n}", text) for n, text in enumerate(TEXTS)]
    return [article.to_dict() for article in make_tagger(model, **options).tag(documents)]


def test_what_is_read_again_is_decided_by_the_second_model_and_nothing_else(
    first: Model, second: Model
) -> None:
    alone, other = sentences(first), sentences(second)
    some = sentences(first, second=second, share=0.3)
    read = [record["second_opinion"]["sentences"] for record in some]
    assert {record["second_opinion"]["model"] for record in some} == {"weekend@2.0.0"}
    assert 0 < sum(map(len, read)) < sum(len(record["sentences"]) for record in some)
    for mixed, own, others, again in zip(some, alone, other, read, strict=True):
        assert mixed["model"] == "weekend@1.0.0"
        for place, sentence in enumerate(mixed["sentences"]):
            assert sentence == (others if place in again else own)["sentences"][place]
        found = {topic for s in mixed["sentences"] for topic in s["topics"]}
        assert {topic["topic"] for topic in mixed["topics"]} == found


def test_nothing_and_everything_can_be_read_again(first: Model, second: Model) -> None:
    nothing = sentences(first, second=second, share=0.0)
    assert [record.pop("second_opinion")["sentences"] for record in nothing] == [[], [], [], []]
    assert nothing == sentences(first)
    everything = sentences(first, second=second, share=1.0)
    judged = {None, "no_topic", "below_threshold"}  # the others are no model's to judge
    for record, alone in zip(everything, sentences(first), strict=True):
        expected = [s["index"] for s in alone["sentences"] if s["reason"] in judged]
        assert record["second_opinion"]["sentences"] == expected


def test_a_record_is_the_same_whatever_else_is_read(first: Model, second: Model) -> None:
    tagger = make_tagger(first, second=second, share=0.3)
    together = tagger.tag([Document(f"{n}", text) for n, text in enumerate(TEXTS)])
    for n, text in enumerate(TEXTS):
        assert tagger.tag([Document(f"{n}", text)])[0].to_dict() == together[n].to_dict()


def test_thresholds_asked_for_are_those_of_both(first: Model, second: Model) -> None:
    (record, *_) = sentences(first, second=second, share=1.0, threshold=0.001)
    assert all(
        sentence["reason"] is None or sentence["index"] not in record["second_opinion"]["sentences"]
        for sentence in record["sentences"]
    )


def test_two_models_that_do_not_go_together(first: Model, second: Model) -> None:
    other = replace(second, scorer=replace(second.scorer, topics=("a", "b", "c")))
    with pytest.raises(ModelError, match=r"has other topics than weekend@1"):
        make_tagger(first, second=other)
    old = replace(first, manifest={k: v for k, v in first.manifest.items() if k != "margins"})
    with pytest.raises(ModelError, match="not known which sentences"):
        make_tagger(old, second=second)
    assert make_tagger(old, second=second, share=1.0)
