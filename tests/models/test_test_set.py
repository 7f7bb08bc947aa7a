"""All versions of a name are judged by the same sentences, whatever labels are added."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny, tiny_records, write_jsonl

from topicml.errors import LabelError, ModelError
from topicml.models.folder import CARD, Model, open_model
from topicml.models.store import ModelStore
from topicml.models.test_set import FILE, read_test_set
from topicml.models.train import train_model
from topicml.training.features import Parameters

QUICK = Parameters(char_ngrams=None)
EASY = [  # so easy that a model which is judged by them is the better for it
    {
        "id": f"easy-{topic}-{n}",
        "article": f"easy-{n % 5}",
        "text": " ".join([topic] * 3 + [f"{topic}{n}word{k}" for k in range(6)]),
        "topics": [topic],
    }
    for topic in ("baking", "gardening", "sailing")
    for n in range(20)
]


def train(tiny: Tiny, folder: Path, *labels: Path, **given: Any) -> tuple[Model, list[str]]:
    told: list[str] = []
    trained = train_model(
        *(ModelStore(folder), "weekend", labels, tiny.taxonomy),
        parameters=QUICK,
        on_note=told.append,
        **given,
    )
    return open_model(trained.path), told


def micro_f1(model: Model) -> float:
    return float(model.manifest["metrics"]["evaluation"]["headlines"]["micro_f1"]["value"])


def test_labels_that_are_added_train_and_are_not_judged_by(tiny: Tiny, tmp_path: Path) -> None:
    rows = tiny_records()
    topics = [row["topics"] for row in rows]
    random.Random(0).shuffle(topics)  # noqa: S311
    hard = [{**row, "topics": own} for row, own in zip(rows, topics, strict=True)]
    labels = write_jsonl(tmp_path / "labels.jsonl", hard)
    easy = write_jsonl(tmp_path / "easy.jsonl", EASY)
    first, _ = train(tiny, tmp_path / "models", labels)
    second, _ = train(tiny, tmp_path / "models", labels, easy)
    tests = [model.manifest["test"] for model in (first, second)]
    assert tests[0] == tests[1]
    assert tests[0]["sentences"] == len(tiny_records())
    assert second.manifest["labels"]["sentences"] == len(tiny_records()) + len(EASY)
    assert "60 other labels are trained on alone" in (second.path / CARD).read_text("utf-8")
    assert "trained on alone" not in (first.path / CARD).read_text("utf-8")
    judged_by_both, _ = train(tiny, tmp_path / "models", labels, easy, test=(labels, easy))
    assert judged_by_both.manifest["test"]["sentences"] == len(tiny_records()) + len(EASY)
    assert micro_f1(second) < micro_f1(first) + 0.1 < micro_f1(judged_by_both)


def test_sentences_taken_from_the_labels_are_still_judged_by(tiny: Tiny, tmp_path: Path) -> None:
    rows = tiny_records()
    held_out = write_jsonl(tmp_path / "held-out.jsonl", rows[:13])
    rest = write_jsonl(tmp_path / "rest.jsonl", rows[13:])
    first, _ = train(tiny, tmp_path / "models", rest, test=(held_out,))
    second, told = train(tiny, tmp_path / "models", rest, tiny_extra(tmp_path))
    for model in (first, second):
        assert model.manifest["test"]["sentences"] == 13
        assert model.manifest["metrics"]["evaluation"]["documents"] == 1
        assert model.manifest["test"]["files"].keys() == {"held-out.jsonl"}
    assert first.manifest["labels"]["sentences"] == 39
    held_out.unlink()
    with pytest.raises(LabelError, match="none of the 13 test sentences of weekend is here") as err:
        train(tiny, tmp_path / "models", rest)
    assert err.value.hint is not None
    assert "--test" in err.value.hint
    some = write_jsonl(tmp_path / "some.jsonl", rows[10:])
    third, told = train(tiny, tmp_path / "models", some)
    assert third.manifest["test"]["sentences"] == 3
    assert "10 of the 13 test sentences of weekend are not here" in told[0]


def tiny_extra(folder: Path) -> Path:
    return write_jsonl(folder / "easy.jsonl", EASY[:3])


def test_corrected_label_makes_another_set(tiny: Tiny, tmp_path: Path) -> None:
    rows = tiny_records()
    corrected = write_jsonl(tmp_path / "labels.jsonl", [{**rows[0], "topics": []}, *rows[1:]])
    first, _ = train(tiny, tmp_path / "models", tiny.labels)
    second, _ = train(tiny, tmp_path / "models", corrected)
    one, other = (model.manifest["test"] for model in (first, second))
    assert one["sentences"] == other["sentences"]
    assert one["sha256"] != other["sha256"]


def test_test_set_of_files_with_no_name_is_an_error(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "weekend").mkdir()
    fields = {"files": {"x" * 5000: "0" * 64, "a\0b": "0" * 64}, "sha1": ["1" * 40]}
    (tmp_path / "weekend" / FILE).write_text(json.dumps(fields))
    with pytest.raises(LabelError, match="none of the 1 test sentences of weekend is here"):
        train(tiny, tmp_path, tiny.labels)


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "{}", '{"sha1": 3, "files": {}}', '{"sha1": "abc", "files": {}}'),
        *('{"sha1": [], "files": {"a": 5}}', "[" * 100_000),
    ],
    ids=lambda content: content[:30],
)
def test_damaged_test_set_is_an_error(tmp_path: Path, content: str) -> None:
    store = ModelStore(tmp_path)
    assert read_test_set(store, "weekend") is None
    (tmp_path / "weekend").mkdir()
    (tmp_path / "weekend" / FILE).write_text(content)
    with pytest.raises(ModelError, match="not a test set") as caught:
        read_test_set(store, "weekend")
    assert caught.value.where == str(tmp_path / "weekend" / FILE)
    (tmp_path / "weekend" / FILE).write_text(json.dumps({"sha1": ["a"], "files": {"x": "0" * 64}}))
    found = read_test_set(store, "weekend")
    assert found is not None
    assert found.sha1 == {"a"}
