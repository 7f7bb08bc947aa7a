"""The rules by which peers are compared, on made sentences and a peer that learns at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import load_script

from topicml.training.background import fold_of
from topicml.training.dataset import Dataset

ROOT = Path(__file__).parents[1]
TOPICS = ("a", "b")


peers = load_script("benchmarks/quality/peers.py")


def made_data(documents: int = 60) -> Dataset:
    """Two real sentences and a written one for each document; topic a is in the text."""
    texts, rows, groups, sources = [], [], [], []
    for document in range(documents):
        for n, source in enumerate(("archive", "archive", "authored")):
            has = (document + n) % 3 == 0
            texts.append(f"sentence {document} {n} {'alpha' if has else 'other'}")
            rows.append([has, document % 2 == 0 and n == 1])
            groups.append(f"document {document}" + (" written" if source == "authored" else ""))
            sources.append(source)
    return Dataset(
        TOPICS,
        tuple(texts),
        np.array(rows, dtype=np.int8),
        np.array(groups),
        np.array(sources),
        np.zeros(len(texts), dtype=np.bool_),
        np.arange(len(texts)),
    )


class Quick(peers.Peer):
    """Finds topic a by its word when told to; remembers what it was fitted on."""

    key, name, short, settings, packages = "quick", "quick", "quick", "", ("setfit",)
    choices = ({"looks": False}, {"looks": True})

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.fitted: list[tuple[str, ...]] = []

    def fit(self, data: Dataset, **choice: Any) -> None:
        self.fitted.append(data.texts)
        self.looks = choice["looks"]

    def predict_proba(self, texts: Any) -> Any:
        return np.array([[0.3 if self.looks and "alpha" in t else 0.1, 0.05] for t in texts])

    def save(self, folder: Path) -> None:
        (folder / "model").write_bytes(b"0" * 2_000_000)


@pytest.mark.parametrize("fold", range(5))
def test_real_sentences_of_one_fold_are_tested_and_all_else_is_learned_from(fold: int) -> None:
    data = made_data()
    task = peers.fold_task(data, fold)
    assert set(task.test.sources) == {"archive"}
    assert {fold_of(group, 5) for group in task.test.groups} == {fold}
    assert {fold_of(group, 5) for group in task.train.groups} == set(range(5)) - {fold}
    left_out = len(data) - len(task.train) - len(task.test)
    written = data.sources == "authored"
    assert left_out == sum(fold_of(g, 5) == fold for g in data.groups[written]) > 0


def test_inner_folds_hold_out_each_other_fold_once() -> None:
    task = peers.fold_task(made_data(), 3)
    held_out = []
    for train, test in task.inner:
        folds = {fold_of(group, 5) for group in task.train.groups[test]}
        assert folds.isdisjoint(fold_of(group, 5) for group in task.train.groups[train])
        assert set(task.train.sources[test]) == {"archive"}
        held_out += [*folds]
    assert held_out == [4, 0, 1, 2]
    assert sorted(task.held_out(4)) == np.flatnonzero(task.train.articles).tolist()


def test_sentences_that_stand_in_documents_of_two_folds_are_left_out() -> None:
    data = made_data(10)
    folds = [fold_of(group, 5) for group in data.groups]
    twin = next(n for n, fold in enumerate(folds) if fold != folds[0])
    texts = [*data.texts]
    texts[twin] = texts[0]
    texts[-2] = texts[-3]  # of one document
    kept = peers.of_one_fold_each(replace(data, texts=tuple(texts)))
    assert kept.texts == tuple(text for text in texts if text != texts[0])


def test_threshold_keeps_false_tags_of_ordinary_text_few() -> None:
    Y = np.array([[1, 0]] * 10 + [[0, 0]] * 20, dtype=np.int8)
    likely = np.array([0.9] * 4 + [0.4] * 6 + [0.5] * 4 + [0.01] * 16)
    probabilities = np.column_stack([likely, np.zeros(30)])
    few = peers.best_threshold(Y, probabilities, np.ones(30))
    assert 0.5 < few <= 0.9  # at 0.4 micro-F1 is better, but one in five is tagged falsely
    rare = np.where(likely == 0.5, 0.1, 1.0)  # such sentences are rare in ordinary text
    assert 0.01 < peers.best_threshold(Y, probabilities, rare) <= 0.4


def test_peer_chooses_on_held_out_folds_and_never_fits_a_test_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peers, "_LEAST_SECONDS", 0.0001)
    task = peers.fold_task(made_data(), 0)
    monkeypatch.setitem(task.__dict__, "weights", np.ones(len(task.train)))
    peer = Quick()
    outcome = peer.run(task)
    assert outcome.details["chosen"] == {"looks": True}
    assert 0.1 < outcome.details["threshold"] <= 0.3
    assert outcome.tags[:, 0].tolist() == ["alpha" in text for text in task.test.texts]
    assert outcome.costs["megabytes"] == 2.0
    assert outcome.costs["sentences_per_second"] > 0
    tested = set(task.test.texts)
    assert all(tested.isdisjoint(texts) for texts in peer.fitted)
    assert len(peer.fitted) == 2 + 3 + 1  # two settings on a fold, three folds more, all
    assert peer.fitted[-1] == task.train.texts


def test_own_recipe_is_run_on_what_it_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_LEAST_SECONDS", 0.0001)
    task = peers.fold_task(made_data(), 1)
    outcome = peers.NoBackground(peers.parse([])).run(task)
    has = ["alpha" in text for text in task.test.texts]
    assert outcome.probabilities.shape == outcome.own_tags.shape == (len(task.test), 2)
    assert outcome.probabilities[has, 0].min() > outcome.probabilities[~np.array(has), 0].max()
    assert outcome.tags[:, 0].tolist() == has
    assert set(outcome.costs) == set(peers.COSTS)
    assert task.weights.tolist() == task.train.articles.tolist()  # none was drawn at random


def test_missing_library_is_said_with_the_command() -> None:
    class Missing(Quick):
        def run(self, _: Any) -> Any:
            raise ImportError("no setfit")

    entry = peers.measure(Missing, [None], None)
    assert entry["status"] == "not installed"
    assert f"pip install 'setfit=={peers.requirements()['setfit']}'" in entry["note"]


def test_every_package_of_a_row_is_pinned() -> None:
    for kind in peers.ROWS:
        assert all("==" in pin for pin in peers.pinned(kind.packages))


def entry_of(key: str, precision: float, speed: float | None) -> dict[str, Any]:
    figure = {"value": precision, "low": precision - 0.02, "high": precision + 0.02}
    costs = {} if speed is None else {"sentences_per_second": speed, "megabytes": 5.59}
    return {
        "key": key,
        "model": f"the {key}",
        "short": f"short {key}",
        "settings": "",
        "status": "measured",
        "training": DESCRIBED["training"],
        "figures": dict.fromkeys(peers.FIGURES, figure),
        "costs": costs,
    }


DESCRIBED = {
    "training": {"sentences": 12_000, "labels": {"real.jsonl": "new"}},
    "test": {"protocol": "made", "sha256": "0", "sentences": 300, "groups": 60},
}


def test_rows_measured_again_join_those_tested_on_the_same(tmp_path: Path) -> None:
    peers.write(DESCRIBED, entry_of("sklearn", 0.6, 40_000), tmp_path)
    peers.write(DESCRIBED, entry_of("no-background", 0.7, None), tmp_path)
    peers.write(DESCRIBED, entry_of("sklearn", 0.61, 40_000), tmp_path)
    found = peers.read_figures(tmp_path)
    assert [e["key"] for e in found["peers"]] == ["no-background", "sklearn"]  # as in the table
    assert found["peers"][1]["figures"]["micro_f1"]["value"] == 0.61
    peers.check_kept(DESCRIBED, tmp_path)
    other = {**DESCRIBED, "test": {**DESCRIBED["test"], "sha256": "1"}}
    with pytest.raises(peers.TopicmlError, match="tested on other sentences"):
        peers.check_kept(other, tmp_path)
    peers.write(other, entry_of("fasttext", 0.6, 1.0), tmp_path)
    assert [e["key"] for e in peers.read_figures(tmp_path)["peers"]] == ["fasttext"]


def test_the_same_test_has_the_same_digest_and_other_labels_another() -> None:
    data = made_data(10)
    assert peers.digest([data]) == peers.digest([replace(data)])
    changed = data.Y.copy()
    changed[3, 1] ^= 1
    assert peers.digest([data]) != peers.digest([replace(data, Y=changed)])


def test_table_shows_figures_costs_and_what_was_left_out(tmp_path: Path) -> None:
    peers.write(DESCRIBED, entry_of("sklearn", 0.6, 37_123.0), tmp_path)
    left_out = {"key": "teacher", "model": "the teacher", "status": "left out", "note": "no file"}
    result = peers.write(DESCRIBED, left_out, tmp_path)
    lines = peers.table(result).splitlines()
    assert lines[0] == "Trained on 12,000 sentences, tested on 300 of 60 documents (made)."
    row = "| the sklearn |" + " 0.600 (0.580 to 0.620) |" * 5 + " 37,123 | 5.6 | – |"
    assert lines[4] == row
    assert lines[5] == "| the teacher |" + " left out |" * 5 + " – |" * 3
    assert lines[-1] == "- the teacher: no file."
    assert peers.table(result) in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_row_that_learned_from_other_labels_is_marked(tmp_path: Path) -> None:
    older = {**entry_of("sklearn", 0.6, 1.0), "training": {"labels": {"real.jsonl": "old"}}}
    peers.write(DESCRIBED, older, tmp_path)
    result = peers.write(DESCRIBED, entry_of("fasttext", 0.6, 1.0), tmp_path)
    remarks = peers.table(result).splitlines()[7:]
    assert remarks == ["- Learned from an earlier state of the labels: the sklearn."]


def test_picture_names_each_row_with_a_speed_from_the_figures_alone(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [entry_of("sklearn", 0.6, 4e4), entry_of("setfit", 0.7, 60), entry_of("x", 0.8, None)]
    (tmp_path / "peers.json").write_text(json.dumps({**DESCRIBED, "peers": rows}))
    assert peers.main(["--draw", "--output", str(tmp_path)]) == 0
    picture = (tmp_path / peers.PICTURE).read_text(encoding="utf-8")
    assert "<!-- short sklearn -->" in picture
    assert "<!-- short setfit -->" in picture
    assert "short x" not in picture


def test_a_trial_does_not_overwrite_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        peers.parse(["--sentences", "100"])
    assert "--output" in capsys.readouterr().err


def test_the_published_table_is_that_of_the_figures() -> None:
    found = peers.read_figures(peers.HERE)
    assert peers.table(found) in (peers.HERE / "README.md").read_text(encoding="utf-8")
