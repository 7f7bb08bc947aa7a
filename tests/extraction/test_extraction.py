"""The hand-made cases of what must come out of pages, files and mails, and how that is measured."""

from __future__ import annotations

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]


tool = load_script("benchmarks/extraction.py")
CASES = {case.name: case for case in tool.read_cases()}
KINDS = {"html", "mhtml", "pdf", "docx", "rtf", "odt", "eml", "mbox", "feed"}
COMMITTED = json.loads(tool.FIGURES.read_text(encoding="utf-8"))
measured = functools.cache(lambda name: tool.measure(CASES[name]))


def test_there_are_enough_cases_of_every_kind() -> None:
    counts = Counter(case.kind for case in CASES.values())
    assert counts.keys() == KINDS
    assert min(counts.values()) >= 3
    assert len(CASES) >= 48
    assert sum(case.held_out for case in CASES.values()) >= 24


def test_cases_of_every_trap() -> None:
    counts = Counter(trap for case in CASES.values() for trap in case.traps)
    for trap in (
        *("list", "table", "text-after-table", "embedded-tweet", "text-after-embed", "live-blog"),
        *("cookie-wall", "related-box", "paywall", "non-breaking-spaces", "several-articles"),
        *("comments", "link-paragraph", "short-article", "transcript", "footnotes", "index-page"),
    ):
        assert counts[trap], trap


def test_expected_sentences_are_written_as_they_must_come_out() -> None:
    for case in CASES.values():
        assert bool(case.expected) != case.rejected, case.name
        assert not set(case.expected) & set(case.boilerplate), case.name
        for text in (*case.expected, *case.boilerplate):
            assert text == " ".join(text.split()), case.name


@pytest.mark.parametrize("name", CASES)
def test_a_case_comes_out_right_or_as_it_is_listed(name: str) -> None:
    outcome = measured(name)
    listed = COMMITTED["failing"].get(name, {"missing": [], "extra": []})
    assert {"missing": [*outcome.missing], "extra": [*outcome.extra]} == listed


def test_precision_and_recall_are_those_published_and_above_their_floors() -> None:
    result = tool.figures([measured(name) for name in CASES])
    assert json.loads(json.dumps(result)) == COMMITTED
    assert tool.tables(result) in (ROOT / "docs/extraction.md").read_text(encoding="utf-8")
    assert tool.below_floor(result) == []


def made_case(*expected: str, **more: Any) -> Any:
    lists = {"boilerplate": (), "neutral": (), "traps": (), "held_out": False} | more
    return tool.Case(Path("html/a.html"), expected, **lists)


@pytest.mark.parametrize(
    ("got", "found", "missing", "extra"),
    [
        (["One.", "Two."], 2, (), ()),
        (["- One.", "2) Two."], 2, (), ()),
        (["One.\n", "Two.\u00a0"], 2, (), ()),
        (["Two.", "One."], 1, ("Two.",), ("Two.",)),
        (["One.", "One.", "Two."], 2, (), ("One.",)),
        (["One. Two."], 0, ("One.", "Two."), ("One. Two.",)),
        (["By Ann Lee", "One.", "Two.", "Figure 1 | Ships"], 2, (), ("By Ann Lee",)),
        ([], 0, ("One.", "Two."), ()),
    ],
)
def test_sentences_are_compared_in_order(
    got: list[str], found: int, missing: tuple[str, ...], extra: tuple[str, ...]
) -> None:
    outcome = tool.compare(made_case("One.", "Two.", neutral=("Figure 1", "Ships")), got)
    assert (outcome.found, {*outcome.missing}, {*outcome.extra}) == (found, {*missing}, {*extra})


def test_a_figure_below_its_floor_is_named() -> None:
    row = {"precision": 0.96, "recall": 0.94}
    result = {"all": row, "kinds": {"pdf": {"precision": 0.89, "recall": 1.0}, "rtf": row}}
    assert tool.below_floor(result) == [
        "all: recall 0.94 is below 0.95",
        "pdf: precision 0.89 is below 0.9",
    ]
