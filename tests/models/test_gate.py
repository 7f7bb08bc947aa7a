from pathlib import Path

import pytest

from topicml.errors import ModelError
from topicml.models.gate import DEFAULT_GATE, Check, Gate, gate_of, read_gate
from topicml.models.store import ModelStore

WHOLE = """
[gate]
micro_f1 = -0.005
false_tag_rate = 0.01
topic_f1 = -0.05
topic_support = 3

[gate.floors]
baking = 0.6
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def row(difference: float | None, low: float | None, high: float | None, new: float = 0.5) -> dict:
    return {"difference": difference, "low": low, "high": high, "new": new}


def test_gate_is_read_as_it_is_written(tmp_path: Path) -> None:
    gate = read_gate(written(tmp_path, WHOLE))
    assert gate == Gate(
        {"micro_f1": -0.005, "false_tag_rate": 0.01},
        topic_f1=-0.05,
        topic_support=3,
        floors={"baking": 0.6},
    )


def test_hash_is_of_what_a_gate_demands(tmp_path: Path) -> None:
    first = read_gate(written(tmp_path, WHOLE)).sha256
    assert read_gate(written(tmp_path, "# by the same rules\n" + WHOLE)).sha256 == first
    assert read_gate(written(tmp_path, WHOLE.replace("0.6", "0.7"))).sha256 != first


def test_a_name_has_its_own_gate_or_the_default(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    (tmp_path / "weekend").mkdir()
    assert gate_of(store, "weekend") == DEFAULT_GATE
    written(tmp_path / "weekend", WHOLE)
    assert gate_of(store, "weekend").topic_support == 3
    given = written(tmp_path, "[gate]\nmacro_f1 = 0.0\n")
    assert gate_of(store, "weekend", given).limits == {"macro_f1": 0.0}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gate", "not valid TOML"),
        ("micro_f1 = -0.1", "one table"),
        ("[gate]\n[other]", "one table"),
        ("[gate]\nmicro_f = -0.1", "Did you mean 'micro_f1'?"),
        ("[gate]\nmicro_f1 = nan", "not a number"),
        ("[gate]\nmicro_f1 = true", "not a number"),
        ("[gate]\nmicro_f1 = '0'", "not a number"),
        ("[gate]\nfloors = 0.5", "a table"),
        ("[gate.floors]\nbaking = inf", "not a number"),
        ("[gate.floors]\nbaking = 1.01", "the floor of baking is 1.01"),
        ("[gate.floors]\nbaking = -0.1", "an F1 is from 0 to 1"),
        ("[gate]\ntopic_f1 = -0.1\ntopic_support = -1", "no count"),
        ("[gate]\n", "no limit"),
        ("[gate]\ntopic_support = 5", "no limit"),
        ("[gate.floors]", "no limit"),
    ],
)
def test_what_is_no_gate_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ModelError) as caught:
        read_gate(path)
    assert part in str(caught.value)
    assert caught.value.where == str(path)


def test_missing_gate_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        read_gate(tmp_path / "gate.toml")


def test_limits_are_held_against_differences_and_settled_by_intervals() -> None:
    gate = Gate({"micro_f1": -0.01, "false_tag_rate": 0.01}, -0.05, 3, {"baking": 0.6})
    figures = {"micro_f1": row(-0.01, -0.02, 0.0), "false_tag_rate": row(0.02, 0.015, 0.03)}
    topics = {
        "baking": {"support": 3, "f1": row(-0.1, -0.2, -0.06, new=0.7)},
        "sailing": {"support": 2, "f1": row(-0.9, -1.0, -0.8)},  # too rare to be held to it
    }
    assert gate.check(figures, topics) == [
        Check("micro_f1", -0.01, -0.01, passed=True, settled=False),
        Check("false_tag_rate", 0.02, 0.01, passed=False, settled=True),
        Check("F1 of baking", -0.1, -0.05, passed=False, settled=True),
        Check("floor of baking", 0.7, 0.6, passed=True),
    ]


def test_what_is_undefined_passes_no_judgement() -> None:
    figures = {"false_tag_rate": row(None, None, None), "micro_f1": row(-0.1, None, None)}
    gate = Gate({"false_tag_rate": 0.01, "micro_f1": 0.0})
    first, second = gate.check(figures, {})
    assert (first.passed, first.settled) == (None, None)
    assert (second.passed, second.settled) == (False, None)


def test_a_figure_that_the_kind_of_scheme_does_not_have_is_not_measured() -> None:
    gate = Gate({"accuracy": -0.005, "false_tag_rate": 0.01})
    assert gate.check({"accuracy": row(-0.1, None, None)}, {}) == [
        Check("accuracy", -0.1, -0.005, passed=False),
        Check("false_tag_rate", None, 0.01, passed=None),
    ]
