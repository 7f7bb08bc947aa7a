"""An analyst's day: articles in, tags corrected, a retraining promoted, a report handed on."""

from __future__ import annotations

import json
from pathlib import Path

from browsers import needs_browser, open_browser
from conftest import Tiny
from desks import label_of, write_project
from kinds import TOWNS, write_articles
from people import Visitor, readings
from playwright.sync_api import expect
from served import serving

pytestmark = needs_browser


def test_an_analysts_day(tmp_path: Path, tiny: Tiny) -> None:
    project = write_project(tmp_path / "weekend", tiny)
    gate = project / "models/weekend/gate.toml"
    gate.write_text("[gate]\nmicro_f1 = -1.0\n")
    (tmp_path / "in").mkdir()
    files = write_articles(tmp_path / "in")
    with serving(project) as served, open_browser() as browser:
        ann = Visitor(browser, served.link, "ann")
        page = ann.page
        ann.open_files(*files)
        articles = page.locator(".articles .link")
        expect(articles).to_have_count(10)
        given: dict[str, tuple[str, ...]] = {}
        for number, keys in enumerate((["2"], ["0"], ["1", "3"])):
            articles.nth(number).click()
            expect(page.locator("h1")).to_have_text(
                articles.nth(number).locator(".title").inner_text()
            )
            row = page.locator(".row").nth(number)
            row.locator(".sentence").click()
            ann.press(*keys)
            if number == 1:
                served.kill()
                page.keyboard.press("j")
                page.keyboard.press("0")
                expect(page.locator("#trouble")).to_contain_text("sent again")
                served.start()
                ann.saved()
            given |= readings(project)["ann"]
        assert len(given) == 4
        assert {*given} == {*readings(project)["ann"]}

        ann.go("training")
        page.get_by_role("button", name="Retrain on all labels").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        page.reload()  # it goes on without the page
        expect(page.locator(".verdict")).to_contain_text("lets it through", timeout=90_000)
        gate.write_text("[gate]\nmicro_f1 = 1.0\n")
        page.get_by_role("button", name="Promote").click()
        expect(page.locator(".refusal")).to_contain_text("not compared with the current 1.0.0")
        gate.write_text("[gate]\nmicro_f1 = -1.0\n")
        page.get_by_role("button", name="Promote").click()
        expect(page.locator(".decision")).to_have_text("Promoted by ann: it is in use.")
        used = page.locator("[data-view=training] .detail")
        expect(used).to_have_text("in use: 1.1.0", timeout=15_000)

        with page.expect_popup() as popup:
            page.get_by_role("link", name="Report").click()
        for town in TOWNS:
            expect(popup.value.locator("body")).to_contain_text(town)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download JSONL").click()
        rows = [json.loads(line) for line in download.value.path().read_text("utf-8").splitlines()]
        assert [row["model"] for row in rows] == ["weekend@1.1.0"] * 10
        assert ann.troubles == []
        assert served.stop() == 0
    assert {*readings(project)["ann"]} == {*given}
    for identifier, topics in given.items():
        assert label_of(project, identifier)["topics"] == [*topics]
    assert (project / "models/weekend/current").read_text().strip() == "1.1.0"
    assert "Traceback" not in (project / "review.err").read_text()
