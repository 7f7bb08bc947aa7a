"""``classify --format html``: the page from the command, of whatever it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Run, Tiny, assert_clean_failure
from lxml import html

DATED = {"SOURCE_DATE_EPOCH": "1767225600"}
PAGE = """<!doctype html><html lang="en"><head><title>Bread and boats</title>
<meta property="article:published_time" content="2024-05-01"><meta charset="utf-8">
<link rel="canonical" href="https://example.org/bread"></head><body>
<article><p>The bread rises in the oven, and the cake wants butter and sugar.</p>
<p>They hoisted the sails at noon, and wind and tide took the yacht home again.</p></article>
</body></html>"""
RECORDS = [
    {
        "id": "a",
        "title": "Fair <wind>",
        "text": "The dough is warm.",
        "source": "The Times",
        "x": 1,
    },
    {"id": "b", "text": "They hoisted the sails.", "date": "2024-05-02", "language": "en-GB"},
    {"id": "c", "text": None},
]

Classify = Callable[..., Result]


@pytest.fixture
def classify(run: Run, tiny: Tiny) -> Classify:
    def call(*arguments: str | Path, **options: Any) -> Result:
        store = ("--models-dir", tiny.store.root, "--model", "weekend")
        return run("classify", *arguments, *store, env=DATED, **options)

    return call


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in RECORDS), encoding="utf-8")
    return path


def about(article: Any) -> str:
    (line,) = article.xpath(".//header/p[@class='about'][1]")
    return " ".join(line.text_content().split())


def test_a_page_of_records_with_what_they_say_and_what_was_rejected(
    classify: Classify, lines: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    result = classify(lines, "--output", out, "--keep", "x")
    assert (result.code, result.stdout) == (3, "")
    tree = html.fromstring(out.read_text("utf-8"))
    first, second = tree.xpath("//article")
    assert first.xpath("string(.//h3//span[contains(@class,'m')])") == "Fair <wind>"
    assert about(first) == "a x 1 source The Times"
    assert about(second) == "b date 2024-05-02 language en-GB"
    assert second.find("div").get("lang") == "en-GB"
    told = result.stderr.removeprefix("error: ").strip()
    assert [li.text_content() for li in tree.xpath("//details//li[bdi]")] == [told]
    again = classify(lines, "--format", "html", "--keep", "x")
    assert again.stdout == out.read_text("utf-8")


def test_of_a_page_title_date_and_address_are_shown(classify: Classify, tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / "in.html").write_text(PAGE, encoding="utf-8")
    result = classify(tmp_path / "in.html", "-o", tmp_path / "out.htm")
    assert (result.code, result.stderr) == (0, "")
    (article,) = html.fromstring((tmp_path / "out.htm").read_text("utf-8")).xpath("//article")
    assert article.findtext(".//h3/bdi") == "Bread and boats"
    assert "date 2024-05-01" in about(article)
    assert article.xpath("string(.//a/@href)") == "https://example.org/bread"


def test_each_text_as_one_sentence(classify: Classify) -> None:
    text = "The dough is in the oven. They hoisted the sails."
    result = classify("-", "--unit", "sentence", "--format", "html", stdin=text)
    tree = html.fromstring(result.stdout)
    (sentence,) = tree.xpath("//article//span[starts-with(@class, 's')]")
    assert sentence[0].text_content() == text


def test_a_page_that_is_there_stays(classify: Classify, lines: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("mine")
    result = classify(lines, "-o", out)
    assert_clean_failure(result)
    assert "exists already" in result.stderr
    assert out.read_text() == "mine"


def test_other_names_are_still_refused_and_pages_are_among_the_known(
    classify: Classify, lines: Path, tmp_path: Path
) -> None:
    result = classify(lines, "-o", tmp_path / "report.pdf")
    assert_clean_failure(result)
    assert ".html" in result.stderr
