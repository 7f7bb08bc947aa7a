"""The picture of the documentation, made from the running page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from browsers import needs_browser, open_browser
from conftest import ROOT
from people import Visitor
from playwright.sync_api import expect
from served import serving

PICTURES = "TOPICML_PICTURES"
"""Environment variable that has the pictures of the documentation made anew."""

ARTICLE = """\
The two ministers agreed in Manila to hold talks on missile defence every year.

Shipyards in Guam will repair frigates of both navies from March. The new joint headquarters takes
over command of all allied forces on the islands in April, its commander said. It will report to the
two governments once a month.

Beijing protested against the drill, and sent two destroyers past the islands. Rain fell all day.
"""


@needs_browser
def test_picture_of_the_documentation(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "data/labels").mkdir(parents=True)
    for name in ("taxonomy.toml", "articles.jsonl"):
        shutil.copy(ROOT / "data/labels" / name, project / "data/labels")
    shutil.copytree(ROOT / "models/alliance-topics", project / "models/alliance-topics")
    with serving(project) as served, open_browser() as browser:
        first = Visitor(browser, served.link, "mia")
        first.paste(ARTICLE, "Ministers meet in Manila")
        first.press("Enter", "Enter", "0")
        ann = Visitor(browser, served.link, "kim", viewport={"width": 1200, "height": 760})
        ann.paste("Tokyo's budget pays for twelve patrol boats next year.", "Patrol boats")
        ann.page.locator(".articles .link").first.click()
        expect(ann.page.locator("h1")).to_have_text("Ministers meet in Manila")
        ann.press("Enter", "Enter", "1")
        ann.page.keyboard.press("e")
        expect(ann.page.locator(".explained mark").first).to_be_visible()
        expect(ann.page.locator("[data-view=disagreements] .detail")).to_have_text("1 sentence")
        picture = ann.page.screenshot()
        assert ann.troubles == []
    kept = ROOT / "docs/images/review.png"
    if os.environ.get(PICTURES):
        kept.write_bytes(picture)
    assert kept.stat().st_size < 400_000
