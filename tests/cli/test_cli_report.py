from __future__ import annotations

import csv
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import needs_browser, open_browser
from conftest import assert_clean_failure, tiny_records, write_jsonl

ARTICLES = {"monday": "2024-01-05", "tuesday": "2024-01-20", "wednesday": "2024-03-01"}


@pytest.fixture(scope="module")
def tags(run, tiny, tmp_path_factory):
    """Results of the real command; the last article is a copy of the first."""
    folder = tmp_path_factory.mktemp("report")
    rows = [
        {
            "id": article,
            "date": date,
            "url": f"https://{'a' if article < 't' else 'b'}.org/{article}",
            "text": " ".join(r["text"] for r in tiny_records() if r["article"] == article),
        }
        for article, date in ARTICLES.items()
    ]
    rows.append({**rows[0], "id": "again"})
    write_jsonl(folder / "texts.jsonl", rows)
    done = run(
        *("batch", folder / "texts.jsonl", "-o", folder / "tags.jsonl", "--keep", "date,url"),
        *("--dedupe", "--models-dir", tiny.store.root),
    )
    assert done.code == 0, done.stderr
    return folder / "tags.jsonl"


def report(run, tiny, tags, *options):
    return run("report", tags, "--models-dir", tiny.store.root, *options)


def test_the_table_has_each_topic_by_month_and_host(run, tiny, tags):
    done = report(run, tiny, tags, "-f", "csv", "--by", "month")
    assert done.code == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    baking = [r for r in rows if r["topic"] == "baking"]
    assert [(r["axis"], r["label"], r["n"]) for r in baking] == [
        ("all", "all", "3"),
        ("time", "2024-01", "2"),
        ("time", "2024-02", "0"),
        ("time", "2024-03", "1"),
        ("source", "b.org", "2"),
        ("source", "a.org", "1"),
    ]
    assert "Not counted: 1 near copy" in done.stderr
    assert "--unit sentence" in done.stderr
    again = run("report", "-", "-f", "csv", "--by", "month", stdin=tags.read_bytes())
    assert [r["count"] for r in csv.DictReader(again.stdout.splitlines())] == [
        r["count"] for r in rows
    ]
    assert "the model is not here" not in done.stderr


def test_the_manifest_of_a_model_that_is_trained_now_states_its_errors(run, tiny, tags):
    done = report(run, tiny, tags, "-f", "json", "--unit", "sentence", "--topic", "baking")
    fields = json.loads(done.stdout)
    (rates,) = [r for r in fields["error_rates"] if r["topic"] == "baking"]
    assert rates["mix"] == "labels"
    assert rates["positives"] == 16
    assert 0 <= rates["sensitivity"] <= 1
    # four documents are too few to correct by
    assert "its error is known from 16 sentences of 4 documents alone" in done.stderr
    assert fields["rows"][0]["corrected"] is None


@needs_browser
def test_the_page_is_whole_and_open_to_all(run, tiny, tags, tmp_path):
    path = tmp_path / "trends.html"
    done = report(run, tiny, tags, "-o", path, "--unit", "sentence", "--title", "Weekend")
    assert done.code == 0, done.stderr
    with open_browser() as browser:
        for width, scheme in ((1200, "light"), (420, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            asked = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert Axe().run(page).violations_count == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("svg[role=img]").count() == 7
            assert asked == [path.as_uri()]


def test_what_is_there_is_not_replaced(run_here, tags, tmp_path):
    path = tmp_path / "trends.csv"
    path.write_text("mine")
    assert "--force" in run_here("report", tags, "-o", path).stderr
    assert path.read_text() == "mine"
    same = run_here("report", tags, "-o", tags, "-f", "csv", "--force")
    assert "one of the inputs" in same.stderr
    assert "does not say the format" in run_here("report", tags, "-o", tmp_path / "x.pdf").stderr
    assert "no such file" in run_here("report", tmp_path / "none.jsonl", "-f", "csv").stderr


def test_a_broken_line_is_told_and_costs_no_other(run_here, tags, tmp_path):
    path = tmp_path / "tags.jsonl"
    path.write_bytes(tags.read_bytes() + b"{broken\n")
    done = run_here("report", path, "-f", "json")
    assert done.code == 3
    assert json.loads(done.stdout)["stories"] == 3
    assert f"error: {path}:5" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "soon"], "--since 'soon' is no date"),
        (["--since", "2024-05", "--until", "2024-04"], "--since 2024-05 is after --until 2024-04"),
        (["--date-format", "%Q"], "--date-format '%Q' is no form of dates"),
        (["--date-format", "dd/mm/yyyy"], "is no form of dates"),
    ],
)
def test_days_and_forms_that_are_none_are_mistakes(run_here, tags, options, said):
    assert_clean_failure(run_here("report", tags, "-f", "csv", *options), said, code=2)
