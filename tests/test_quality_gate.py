"""The quality gate's own rules, on the real recipe with few labels and on made figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[1]


gate = load_script("benchmarks/quality_gate.py")
FIGURES = {"micro_f1": 0.7, "macro_f1": 0.6, "macro_average_precision": 0.65}


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Give a floors file and a label folder of its own, with measuring replaced by FIGURES."""
    labels = tmp_path / "labels"
    labels.mkdir()
    shutil.copy(ROOT / "data/labels/articles.jsonl", labels)
    pinned = {
        "margin": 0.01,
        "protocols": {
            "article": {
                "by": "article",
                "labels": {"articles.jsonl": gate.sha256_file(labels / "articles.jsonl")},
                "parameters": None,
                "floors": dict(FIGURES),
            }
        },
    }
    floors = tmp_path / "floors.json"
    floors.write_text(json.dumps(pinned))
    monkeypatch.setattr(gate, "measure", lambda *_: dict(FIGURES))
    return floors, labels


def lower_figures(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    lowered = {**FIGURES, "micro_f1": FIGURES["micro_f1"] - by}
    monkeypatch.setattr(gate, "measure", lambda *_: lowered)


def test_figures_at_their_floors_pass(setting):
    floors, labels = setting
    assert gate.main([], floors, labels) == 0


def test_a_figure_within_the_noise_margin_passes(setting, monkeypatch):
    floors, labels = setting
    lower_figures(monkeypatch, by=0.009)
    assert gate.main([], floors, labels) == 0


def test_a_figure_under_its_floor_fails_and_is_named(setting, monkeypatch, capsys):
    floors, labels = setting
    lower_figures(monkeypatch, by=0.02)
    assert gate.main([], floors, labels) == 1
    assert "micro_f1 is 0.6800" in capsys.readouterr().err


def test_changed_labels_fail_and_are_named(setting, capsys):
    floors, labels = setting
    with (labels / "articles.jsonl").open("a") as file:
        file.write("\n")
    assert gate.main([], floors, labels) == 1
    assert "articles.jsonl is not the pinned one" in capsys.readouterr().err


def test_update_refuses_to_lower_a_floor(setting, monkeypatch, capsys):
    floors, labels = setting
    before = floors.read_text()
    lower_figures(monkeypatch, by=0.001)
    assert gate.main(["--update"], floors, labels) == 1
    assert floors.read_text() == before
    assert "--allow-lower" in capsys.readouterr().err


def test_update_lowers_a_floor_where_told_to(setting, monkeypatch):
    floors, labels = setting
    lower_figures(monkeypatch, by=0.1)
    assert gate.main(["--update", "--allow-lower"], floors, labels) == 0
    pinned = json.loads(floors.read_text())
    assert pinned["protocols"]["article"]["floors"]["micro_f1"] == pytest.approx(0.6)


def test_update_raises_floors_and_pins_the_labels(setting, monkeypatch):
    floors, labels = setting
    (labels / "articles.jsonl").write_text((labels / "articles.jsonl").read_text() + "\n")
    lower_figures(monkeypatch, by=-0.1)
    assert gate.main(["--update"], floors, labels) == 0
    assert gate.main([], floors, labels) == 0


def test_the_committed_floors_pin_the_committed_labels():
    pinned = json.loads((ROOT / "benchmarks/quality_floor.json").read_text())
    for protocol in pinned["protocols"].values():
        assert gate.changed_files(protocol, ROOT / "data/labels") == []
        assert set(protocol["floors"]) == set(gate.FIGURES)


def test_a_model_that_predicts_nothing_does_not_pass():
    pinned = json.loads((ROOT / "benchmarks/quality_floor.json").read_text())
    nothing = dict.fromkeys(gate.FIGURES, 0.0)
    for protocol in pinned["protocols"].values():
        assert gate.shortfalls(nothing, protocol["floors"], pinned["margin"]) == list(gate.FIGURES)
