"""What a training says of labels by reference: how many there were, and how many it used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from archive_samples import reference_fields
from conftest import Tiny, tiny_records, write_jsonl

from topicml.labels.texts import sha1_of, write_texts
from topicml.models.evaluate import predict_labelled
from topicml.models.folder import CARD, Model, open_model
from topicml.models.steps import Step
from topicml.models.store import ModelStore
from topicml.models.train import train_model
from topicml.training.features import SKLEARN_DEFAULTS, Parameters

SENTENCES = [row["text"] for row in tiny_records()[:5]]


def train(tiny: Tiny, folder: Path, labels: list[Path]) -> tuple[Model, list[str]]:
    told: list[str] = []
    parameters = Parameters.from_dict(json.loads(tiny.parameters.read_text("utf-8")))
    store = ModelStore(folder / "models")
    trained = train_model(
        *(store, "weekend", labels, tiny.taxonomy), parameters=parameters, on_note=told.append
    )
    return open_model(trained.path), told


def references(folder: Path) -> Path:
    rows: list[dict[str, Any]] = [
        reference_fields(f"x-{i}", f"{text} Indeed.") for i, text in enumerate(SENTENCES)
    ]
    return write_jsonl(folder / "real.jsonl", rows)


@pytest.fixture
def labels(tiny: Tiny, tmp_path: Path) -> list[Path]:
    return [tiny.labels, references(tmp_path)]


def test_training_without_texts_says_so(tiny: Tiny, tmp_path: Path, labels: list[Path]) -> None:
    model, told = train(tiny, tmp_path, labels)
    assert told[0] == "5 labels by reference; texts of 0 are here: run topicml labels fetch"
    stated = model.manifest["labels"]
    assert stated["sentences"] == len(tiny_records())
    assert stated["sources"] == {"article": len(tiny_records())}
    assert stated["by_reference"] == {"real.jsonl": {"labels": 5, "with_text": 0}}
    card = (model.path / CARD).read_text("utf-8")
    assert "Of 5 labels by reference in `real.jsonl`, the texts of 0 were there" in card


def test_training_with_texts_uses_them(tiny: Tiny, tmp_path: Path, labels: list[Path]) -> None:
    texts = [f"{text} Indeed." for text in SENTENCES[:3]]
    write_texts(labels[1], {sha1_of(text): text for text in texts})
    model, told = train(tiny, tmp_path, labels)
    assert "texts of 3 are here" in told[0]
    stated = model.manifest["labels"]
    assert stated["sources"] == {"article": len(tiny_records()), "archive": 3}
    assert stated["by_reference"] == {"real.jsonl": {"labels": 5, "with_text": 3}}
    card = (model.path / CARD).read_text("utf-8")
    assert "- 3 sentences of public archives, labelled by reference." in card


def test_a_search_is_accounted_for(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = (SKLEARN_DEFAULTS, Parameters(char_ngrams=None))
    monkeypatch.setattr("topicml.training.search.DEFAULT_GRID", grid)
    steps: list[Step] = []
    store = ModelStore(tmp_path)
    trained = train_model(
        *(store, "weekend", [tiny.labels], tiny.taxonomy), search=True, on_step=steps.append
    )
    manifest = open_model(trained.path).manifest
    assert manifest["parameters_from"] == {"source": "searched"}
    assert manifest["parameters"] in [setting.to_dict() for setting in grid]
    scores = [candidate["macro_average_precision"] for candidate in manifest["search"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(candidate["default"] for candidate in manifest["search"]) == 1
    assert "**(default)**" in (trained.path / CARD).read_text("utf-8")
    total = 2 * 4 + 1 + 4 * (2 * 3 + 1)
    assert steps == [Step("Training", done, total) for done in range(total + 1)]


def said(tiny: Tiny, model: Model, data: Path, labels: list[Path]) -> tuple[str, list[str]]:
    told: list[str] = []
    found = predict_labelled(model, data, tiny.taxonomy, at_hand=labels, on_note=told.append)
    return found.protocol, told


def test_model_was_not_trained_on_references_without_texts(
    tiny: Tiny, tmp_path: Path, labels: list[Path]
) -> None:
    without, _ = train(tiny, tmp_path / "without", labels)
    assert "on these very sentences" in said(tiny, without, tiny.labels, labels)[0]
    texts = [f"{text} Indeed." for text in SENTENCES]
    write_texts(labels[1], {sha1_of(text): text for text in texts})
    protocol, told = said(tiny, without, labels[1], labels)
    assert "near copies of 5 more" in protocol
    assert "trained on 0 of these 5 sentences, and on near copies of 5 more" in told[-1]
    with_texts, _ = train(tiny, tmp_path / "with", labels)
    assert "on these very sentences" in said(tiny, with_texts, labels[1], labels)[0]


def test_sentences_that_a_model_has_seen_are_told_whatever_file_they_are_in(
    tiny: Tiny, tmp_path: Path
) -> None:
    model, new = open_model(tiny.folder), "The parliament of the northern country adjourned."
    rows = [
        {**row, "text": text} for row, text in zip(tiny_records(), [*SENTENCES, new], strict=False)
    ]
    other = write_jsonl(tmp_path / "other.jsonl", rows)
    protocol, told = said(tiny, model, other, [tiny.labels])
    assert "trained on 5 of these 6 sentences: the figures are optimistic" in protocol
    assert told == ["warning: weekend@1.0.0 was trained on 5 of these 6 sentences"]
    unseen = write_jsonl(tmp_path / "new.jsonl", rows[5:])
    assert said(tiny, model, unseen, [tiny.labels])[1] == []
    assert "not here, so it may be more: labels.jsonl" in said(tiny, model, unseen, [])[1][0]
