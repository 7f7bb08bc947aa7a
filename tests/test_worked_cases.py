"""The worked cases of the codebook: enough of them, the project's own, and run by the model."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Tiny, tiny_records
from scripts import load_script

from topicml.labels.checks import near_duplicates
from topicml.models.folder import open_model
from topicml.taxonomy import WorkedCase, load_taxonomy
from topicml.training.dataset import load_dataset

ROOT = Path(__file__).parents[1]
TAXONOMY = load_taxonomy(ROOT / "data/labels/taxonomy.toml")
CASES = TAXONOMY.cases


tool = load_script("benchmarks/worked_cases.py")
MODEL = "fruit@1.0.0"
PEARS = tool.Failure("Pears are ripe.", ("pears",), (), "the word is rare")
PLUMS = tool.Failure("Plums fall.", (), ("plums",), "plums are mostly eaten")


def listing(*failures, ceiling=None):
    return tool.Listing(len(failures) if ceiling is None else ceiling, MODEL, failures)


def test_the_model_gets_every_worked_case_right_but_those_listed():
    model = tool.shipped_model()
    found = tool.failures(CASES, model)
    wrong = tool.problems(found, tool.read_listing(tool.FAILING), model.reference)
    assert not wrong, "\n".join(wrong)


def test_every_topic_has_worked_cases_and_near_misses():
    carrying = Counter(topic for case in CASES for topic in case.topics)
    near = Counter(topic for case in CASES for topic in case.near)
    for topic in TAXONOMY.topic_ids:
        assert carrying[topic] >= 6, topic
        assert near[topic] >= 4, topic


def test_many_worked_cases_have_no_topic_and_several_have_two():
    assert sum(not case.topics for case in CASES) >= 25
    assert sum(len(case.topics) == 2 for case in CASES) >= 10
    assert len(CASES) >= 90


def test_worked_cases_are_near_no_label_and_not_one_another():
    files = sorted((ROOT / "data/labels").glob("*.jsonl"))
    texts = [case.text for case in CASES] + list(load_dataset(files, TAXONOMY).texts)
    pairs = near_duplicates(texts)
    assert [(texts[i], texts[j]) for i, j, _ in pairs if i < len(CASES)] == []


def test_a_list_that_is_right_has_no_problem():
    assert tool.problems([PEARS, PLUMS], listing(PEARS, PLUMS), MODEL) == []


def test_a_failing_case_that_is_not_listed_is_a_problem_and_says_the_command():
    (line,) = tool.problems([PEARS, PLUMS], listing(PEARS), MODEL)
    assert "fails and is not listed: 'Plums fall.': none expected, plums got" in line
    assert "benchmarks/worked_cases.py --update --allow-more" in line


def test_a_listed_case_that_passes_is_a_problem_and_says_the_command():
    (line,) = tool.problems([PEARS], listing(PEARS, PLUMS), MODEL)
    assert line.startswith("passes, or is no worked case, and is listed: 'Plums fall.'")
    assert "run python benchmarks/worked_cases.py --update" in line


def test_a_case_that_fails_otherwise_than_listed_is_a_problem():
    (line,) = tool.problems([replace(PEARS, got=("plums",))], listing(PEARS), MODEL)
    assert "fails otherwise than listed: 'Pears are ripe.': pears expected, plums got" in line


def test_a_case_without_a_reason_is_a_problem():
    (line,) = tool.problems([PEARS], listing(replace(PEARS, reason=" ")), MODEL)
    assert line.startswith("has no reason: 'Pears are ripe.'")


@pytest.mark.parametrize("ceiling", [0, 2])
def test_a_ceiling_that_is_not_the_number_listed_is_a_problem(ceiling):
    (line,) = tool.problems([PEARS], listing(PEARS, ceiling=ceiling), MODEL)
    assert line.startswith(f"1 cases are listed, and the ceiling is {ceiling}")


def test_a_list_of_another_model_is_a_problem():
    (line,) = tool.problems([PEARS], listing(PEARS), "fruit@1.1.0")
    assert line.startswith("the list is that of fruit@1.0.0, the model is fruit@1.1.0")


def test_update_keeps_reasons_and_drops_what_passes():
    found = [replace(PEARS, got=("plums",), reason=""), replace(PLUMS, text="New.", reason="")]
    after = tool.update(found, listing(PEARS, PLUMS), "fruit@1.1.0")
    assert (after.ceiling, after.model) == (2, "fruit@1.1.0")
    assert [(f.text, f.got, f.reason) for f in after.failures] == [
        ("Pears are ripe.", ("plums",), "the word is rare"),
        ("New.", ("plums",), ""),
    ]


def test_a_list_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "failing.toml"
    quoted = tool.Failure('"Café," she said: \\ – it\'s', ("a", "b"), (), 'tab\tand quote "')
    tool.write_listing(path, listing(quoted, PLUMS))
    assert tool.read_listing(path) == listing(quoted, PLUMS)


@pytest.fixture
def orchard(tmp_path, monkeypatch):
    """Give a list of one failure of its own; what the model gets wrong is PEARS and PLUMS."""
    path = tmp_path / "failing.toml"
    tool.write_listing(path, listing(PEARS))
    monkeypatch.setattr(tool, "failures", lambda *_: [PEARS, replace(PLUMS, reason="")])
    return path


def test_update_refuses_to_raise_the_ceiling(orchard, capsys):
    before = orchard.read_text("utf-8")
    assert tool.main(["--update"], orchard) == 1
    assert orchard.read_text("utf-8") == before
    assert "from 1 to 2; to raise it on purpose: --allow-more" in capsys.readouterr().err


def test_update_raises_the_ceiling_where_told_to_and_asks_for_a_reason(orchard, capsys):
    assert tool.main(["--update", "--allow-more"], orchard) == 1
    assert tool.read_listing(orchard).ceiling == 2
    assert "has no reason: 'Plums fall.'" in capsys.readouterr().err


def test_update_lowers_the_ceiling(orchard, monkeypatch):
    monkeypatch.setattr(tool, "failures", lambda *_: [])
    assert tool.main(["--update"], orchard) == 0
    assert tool.read_listing(orchard).failures == ()
    assert tool.main([], orchard) == 0


def test_update_names_the_case_that_fails_otherwise_now(orchard, monkeypatch, capsys):
    monkeypatch.setattr(tool, "failures", lambda *_: [replace(PEARS, got=("plums",))])
    assert tool.main(["--update"], orchard) == 0
    assert "read its reason again: 'Pears are ripe.': plums got now" in capsys.readouterr().out


def test_a_case_is_tagged_as_one_sentence_by_the_model(tiny: Tiny):
    row = tiny_records()[0]
    right = WorkedCase(row["text"], tuple(row["topics"]))
    wrong = replace(right, topics=("sailing",))
    found = tool.failures([right, wrong], open_model(tiny.folder))
    assert found == [tool.Failure(row["text"], ("sailing",), tuple(row["topics"]))]
