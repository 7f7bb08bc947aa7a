"""The nearest labelled sentences, against a search by scikit-learn's own matrices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tiny, tiny_records, write_jsonl

from topicml import Model, load_model
from topicml.errors import LabelError
from topicml.explain import nearest
from topicml.explain.explainer import Explainer
from topicml.explain.nearest import LabelledSentences, load_labelled
from topicml.labels.store import read_label_file
from topicml.models.estimator import load_estimator

TEXT = "Butter the tin, then bake the bread dough in a slow oven."


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_model(tiny.folder)


def by_search(model: Model, text: str, topic: str) -> list[tuple[str, float]]:
    records = sorted(tiny_records(), key=lambda row: row["id"])
    pipeline = load_estimator(model).pipeline_
    X = pipeline[:-1].transform([text, *(row["text"] for row in records)]).toarray()
    weights = pipeline[-1].linear_model()[0][model.scorer.topics.index(topic)]
    similar = (X[1:] * weights * X[0]).sum(axis=1)
    order = np.argsort(-similar.round(12), kind="stable")
    return [(records[n]["id"], similar[n]) for n in order if similar[n] > 0]


@pytest.mark.parametrize("topic", ["baking", "gardening", "sailing"])
def test_nearest_are_those_of_a_search_of_all(model: Model, tiny: Tiny, topic: str) -> None:
    explainer = Explainer(model, labelled=load_labelled(model, [tiny.labels]))
    explanation = explainer.explain(TEXT, [topic])
    found = explanation.topic(topic).nearest
    expected = by_search(model, TEXT, topic)[:3]
    assert explanation.labelled == len(tiny_records())
    assert [n.similarity for n in found] == pytest.approx([s for _, s in expected], abs=1e-9)
    assert [n.id for n in found] == [identifier for identifier, _ in expected]
    labels = {row["id"]: row for row in tiny_records()}
    for neighbour in found:
        assert neighbour.text == labels[neighbour.id]["text"]
        assert neighbour.topics == tuple(labels[neighbour.id]["topics"])


def records_of(path: Path, *rows: dict[str, Any]) -> Any:
    made = [{"status": "gold", "topics": ["baking"], **row} for row in rows]
    return read_label_file(write_jsonl(path, made)).records


def test_equal_ones_come_by_id_and_each_text_once(model: Model, tmp_path: Path) -> None:
    rows = [
        {"id": "c", "text": "Bread in the oven."},
        {"id": "b", "text": "Bread  in the OVEN."},
        {"id": "a", "text": "Bread in the oven."},
        {"id": "0", "text": "Bread in the oven!", "status": "skipped"},
        {"id": "d", "text": "Sails.", "topics": ["sailing"]},
    ]
    labelled = LabelledSentences(model.scorer, records_of(tmp_path / "l.jsonl", *rows))
    assert len(labelled) == 3
    explained = Explainer(model, labelled=labelled).explain("Bread in the oven.", ["baking"])
    found = explained.topic("baking").nearest
    assert [neighbour.id for neighbour in found][:2] == ["a", "b"]
    assert found[0].similarity == pytest.approx(found[1].similarity)
    assert "d" not in {neighbour.id for neighbour in found}


def test_no_labelled_sentences_give_none(model: Model) -> None:
    for labelled in (LabelledSentences(model.scorer, []), load_labelled(model, [])):
        explanation = Explainer(model, labelled=labelled).explain(TEXT)
        assert explanation.topic("baking").nearest == ()
        assert explanation.labelled == 0


@pytest.mark.parametrize("text", ["", "…", "Qx zz"])
def test_sentence_that_says_nothing_for_a_topic_has_none(
    model: Model, tiny: Tiny, text: str
) -> None:
    explainer = Explainer(model, labelled=load_labelled(model, [tiny.labels]))
    assert explainer.explain(text, ["baking"]).topic("baking").nearest == ()


def test_labels_of_another_scheme_are_left_out_file_by_file(
    model: Model, tiny: Tiny, tmp_path: Path
) -> None:
    row = {"id": "x", "text": "Ministers met.", "topics": ["diplomacy"], "status": "gold"}
    other = write_jsonl(tmp_path / "other.jsonl", [row, {**row, "id": "y", "topics": ["baking"]}])
    assert len(load_labelled(model, [other, tiny.labels])) == len(tiny_records())
    assert len(load_labelled(model, [other])) == 0
    without = write_jsonl(tmp_path / "without.jsonl", [{**row, "topics": []}])
    assert len(load_labelled(model, [without])) == 0


def test_labels_without_their_texts_are_counted(
    model: Model, tiny: Tiny, root: Path, tmp_path: Path
) -> None:
    with (root / "data/labels/real.jsonl").open(encoding="utf-8") as file:
        reference = json.loads(next(file))
    path = write_jsonl(tmp_path / "real.jsonl", [{**reference, "topics": ["baking"]}])
    labelled = load_labelled(model, [tiny.labels, path])
    assert (len(labelled), labelled.missing) == (len(tiny_records()), 1)
    foreign = write_jsonl(tmp_path / "real.jsonl", [{**reference, "topics": ["diplomacy"]}])
    assert load_labelled(model, [tiny.labels, foreign]).missing == 0


def test_labels_are_read_again_only_where_they_changed(model: Model, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "labels.jsonl", tiny_records())
    first = load_labelled(model, [path])
    assert load_labelled(model, [path]) is first
    write_jsonl(path, tiny_records()[:10])
    again = load_labelled(model, [path])
    assert (len(first), len(again)) == (len(tiny_records()), 10)
    assert len(nearest._loaded) == 1


def test_broken_labels_are_an_error(model: Model, tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(LabelError, match=r"l\.jsonl:1"):
        load_labelled(model, [tmp_path / "l.jsonl"])
    with pytest.raises(LabelError, match=r"none\.jsonl"):
        load_labelled(model, [tmp_path / "none.jsonl"])
