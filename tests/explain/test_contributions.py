"""What words and n-grams add is what the model adds up, by its scorer and by scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scorers import HARD_TEXTS, TEXTS, Witnesses, models

from topicml import Model, load_model
from topicml.explain.contributions import Contributions, contributions_of
from topicml.explain.reading import Reading, read_sentence
from topicml.labels.store import read_label_file
from topicml.models.estimator import load_estimator
from topicml.scoring.scorer import Scorer
from topicml.text.normalise import as_scored
from topicml.text.packed import pack_texts

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    store = root / "models/alliance-topics"
    return load_model(store / (store / "current").read_text(encoding="ascii").strip())


@pytest.fixture(scope="module")
def pipeline(model: Model) -> Any:
    return load_estimator(model).pipeline_


def log_odds_of(scorer: Scorer, texts: list[str]) -> Any:
    buffer, offsets = pack_texts(texts)
    data = np.frombuffer(buffer, dtype=np.uint8) if buffer else np.zeros(0, dtype=np.uint8)
    return scorer.backends.score(data, offsets[:-1], offsets[1:])[0] + scorer.intercepts


def sums_of(scorer: Scorer, texts: list[str]) -> Any:
    """n by 3 by T + 1 log-odds of texts: as said, of words and of n-grams."""
    explained = (contributions_of(scorer, read_sentence(text)) for text in texts)
    return np.array(
        [
            [
                found.log_odds,
                found.by_word.sum(axis=0) + scorer.intercepts,
                found.by_term.sum(axis=0) + scorer.intercepts,
            ]
            for found in explained
        ]
    )


def assert_add_up(scorer: Scorer, texts: list[str], *expected: Any) -> None:
    found = sums_of(scorer, texts)
    for log_odds in expected:
        np.testing.assert_allclose(
            found, np.broadcast_to(log_odds[:, np.newaxis], found.shape), rtol=0, atol=TOLERANCE
        )


def committed_texts(root: Path) -> list[str]:
    files = sorted((root / "data/labels").glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [line["text"] for line in lines if "text" in line]


PARTS = 3


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.soak) for part in range(1, PARTS))]
)
def test_explanations_add_up_for_every_labelled_sentence(
    model: Model, pipeline: Any, root: Path, part: int
) -> None:
    every = committed_texts(root)
    assert len(every) == 5_790
    texts = [as_scored(text) for text in every[part::PARTS]]
    by_pipeline = pipeline[-1].log_odds(pipeline[:-1].transform(texts))
    assert_add_up(model.scorer, texts, log_odds_of(model.scorer, texts), by_pipeline)


@pytest.mark.soak
def test_explanations_add_up_for_every_sentence_of_an_archive(model: Model, root: Path) -> None:
    records = read_label_file(root / "data/labels/real.jsonl").records
    texts = [as_scored(record.text) for record in records]
    assert_add_up(model.scorer, texts, log_odds_of(model.scorer, texts))


def test_each_ngram_adds_what_scikit_learn_multiplies(
    model: Model, pipeline: Any, root: Path
) -> None:
    names = pipeline[0].get_feature_names_out()
    coefficients = pipeline[-1].linear_model()[0]
    for text in committed_texts(root)[::200]:
        found = contributions_of(model.scorer, read_sentence(text))
        row = pipeline[:-1].transform([as_scored(text)]).tocsr()
        expected = {
            names[column]: weight * coefficients[:, column]
            for column, weight in zip(row.indices, row.data, strict=True)
        }
        every = [
            (f"{block.block.analyzer}__{[*block.block.vocabulary][term]}")
            for block in found.blocks
            for term in block.terms.tolist()
        ]
        assert len(every) == len(set(every)) == len(expected)
        for name, added in zip(every, found.by_term, strict=True):
            np.testing.assert_allclose(added, expected[name], rtol=0, atol=TOLERANCE)


def shared_by_hand(reading: Reading, found: Contributions) -> Any:
    """The rule in the plainest words: occurrences, then parts, all alike."""
    words = np.zeros_like(found.by_word)
    first = 0
    for block in found.blocks:
        numbers = {term: number for number, term in enumerate(block.terms.tolist())}
        for occurrence in reading.occurrences(block.block):
            number = numbers[occurrence.term]
            one = found.by_term[first + number] / len(block.places[number])
            for owner in occurrence.owners:
                words[owner] += one / len(occurrence.owners)
        first += len(block.terms)
    return words


@given(models())
@settings(max_examples=25)
def test_words_share_what_ngrams_add_in_any_model(drawn: tuple[Witnesses, list[str]]) -> None:
    witnesses, texts = drawn
    scorer = witnesses.reference
    texts = [as_scored(text) for text in [*texts, *HARD_TEXTS[:16]]]
    assert_add_up(scorer, texts, log_odds_of(scorer, texts))
    for text in texts:
        reading = read_sentence(text)
        found = contributions_of(scorer, reading)
        by_hand = shared_by_hand(reading, found)
        np.testing.assert_allclose(found.by_word, by_hand, rtol=0, atol=TOLERANCE)


@given(TEXTS)
def test_any_text_adds_up(model: Model, text: str) -> None:
    assert_add_up(model.scorer, [as_scored(text)], log_odds_of(model.scorer, [as_scored(text)]))
    for block in contributions_of(model.scorer, read_sentence(text)).blocks:
        for start, end in (place for places in block.places for place in places):
            assert 0 <= start <= end <= len(text)


def test_hard_texts_add_up(model: Model) -> None:
    texts = [*map(as_scored, HARD_TEXTS), "treaty " * 1_400, "ﬁ" * 10_000]
    assert_add_up(model.scorer, texts, log_odds_of(model.scorer, texts))
