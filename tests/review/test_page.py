"""The page in a real browser: open, tag by keyboard, undo, retrain, promote; hostile texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import needs_browser, open_browser
from conftest import Tiny
from desks import ARTICLE, label_of, write_project
from people import Visitor, readings
from playwright.sync_api import Browser, Page, expect
from served import Served, serving

pytestmark = needs_browser

HOSTILE = """The bakers met <script>window.pwned = 1; alert(1)</script> in the harbour.
<img src=x onerror="window.pwned=2"> Seeds were sold. <svg onload="window.pwned=3"><animate
onbegin="window.pwned=4"></svg> <a href="javascript:window.pwned=5">A boat</a> left the harbour.
<iframe srcdoc="<script>parent.pwned=6</script>"></iframe> <style>*{display:none}</style>
Dough rose. "><script>window.pwned=7</script> {{ 7*7 }} ${window.pwned=8} </script></textarea>
<details open
ontoggle="window.pwned=9"> Sails were set.
<math><mtext><img src=y onerror=window.pwned=10></mtext></math>
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, tiny: Tiny) -> Iterator[Served]:
    """A page that several tests share: each opens an article of its own."""
    project = write_project(tmp_path_factory.mktemp("page") / "weekend", tiny)
    with serving(project) as served:
        yield served


def test_topics_by_keyboard_undo_skip_and_nothing(browser: Browser, served: Served) -> None:
    ann = Visitor(browser, served.link, "ann")
    ann.paste(ARTICLE, "By keyboard")
    ids = [row.get_attribute("data-id") or "" for row in ann.page.locator(".row").all()]
    expect(ann.page.locator(".row").first).to_have_class(re.compile("here"))
    suggested = ann.page.locator(".topic.given").count()
    ann.press("2", "Enter", "0", "s")
    expect(ann.page.locator(".row").nth(2)).to_have_class(re.compile("skipped"))
    said = readings(served.project)["ann"]
    assert "gardening" in said[ids[0]]
    assert said[ids[1]] == ()
    assert len(said[ids[0]]) == suggested + 1
    assert ids[2] not in said
    ann.press("u")
    expect(ann.page.locator(".row").nth(2)).to_have_class(re.compile("open"))
    ann.press("u", "u")
    expect(ann.page.locator(".row").first).to_have_class(re.compile("here"))
    assert "ann" not in readings(served.project)
    assert "Gardening" not in ann.chips(0)
    ann.press("j", "j", "k", "1")
    assert "baking" in readings(served.project)["ann"][ids[1]]
    assert label_of(served.project, ids[1])["annotator"] == "ann"
    assert ann.troubles == []


def test_by_mouse_with_remark_and_help(browser: Browser, served: Served) -> None:
    ann = Visitor(browser, served.link, "mouse")
    ann.paste(f"By mouse. {ARTICLE}", "By mouse")
    page = ann.page
    page.locator(".row .sentence").nth(1).click()
    page.locator("#book").get_by_role("button", name="Gardening").click()
    ann.saved()
    page.get_by_label("Remark").fill("a <b>remark</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".row .remark")).to_have_text("a <b>remark</b>")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("s")  # means nothing under a dialog
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row .remark")).to_have_count(0)
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".explained mark").first).to_be_visible()
    assert ann.troubles == []


def test_hostile_texts_and_names_run_nothing(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    ann = Visitor(browser, served.link, "<img src=x onerror=window.pwned=11>")
    ann.paste(HOSTILE, "<script>window.pwned=12</script>")
    name = "<img src=x onerror=window.pwned=13>.jsonl"
    (tmp_path / name).write_text(
        "".join(
            json.dumps({"id": f"<svg/onload=window.pwned=14>{n}", "title": text, "text": text})
            + "\n"
            for n, text in enumerate(HOSTILE.splitlines())
        )
        + '{"<script>window.pwned=15</script>'
    )
    ann.press("1", "Enter", "e")
    ann.page.get_by_label("Remark").fill(HOSTILE)
    ann.page.keyboard.press("Enter")
    ann.open_files(tmp_path / name)
    expect(ann.page.locator("#trouble")).to_contain_text("pwned=13")
    for view in ("counts", "disagreements", "queue"):
        ann.go(view)
    ann.page.reload()
    expect(ann.page.locator("#who")).to_contain_text("onerror")
    ann.page.goto(f"http://127.0.0.1:{served.port}/report.html")
    expect(ann.page.locator("body")).to_contain_text("pwned")
    assert ann.page.evaluate("window.pwned") is None
    assert ann.troubles == []


def test_two_people_at_once_lose_nothing(browser: Browser, served: Served) -> None:
    pair = [Visitor(browser, served.link, name) for name in ("lee", "mia")]
    text = "At once. " + " ".join(f"Boat {n} was full of bread." for n in range(8))
    for one in pair:
        one.paste(text, "At once")
    ids = [row.get_attribute("data-id") for row in pair[0].page.locator(".row").all()]
    for n in range(len(ids)):
        pair[0].page.keyboard.press("0")
        pair[1].page.keyboard.press("1" if n % 2 else "0")
        if n % 2:
            pair[1].page.keyboard.press("j")
    for one in pair:
        one.saved()
    said = readings(served.project)
    assert set(said["lee"]) == set(said["mia"]) == {*ids}
    pair[0].page.reload()
    expect(pair[0].page.locator(".row").nth(1).locator(".chip.differs")).to_contain_text(
        "mia: Baking"
    )
    assert [one.troubles for one in pair] == [[], []]


def test_what_another_says_appears_by_itself(browser: Browser, served: Served) -> None:
    lee, mia = (Visitor(browser, served.link, name) for name in ("lena", "max"))
    for one in (lee, mia):
        one.paste(f"By itself. {ARTICLE}", "By itself")
    busy = {"status": 503, "body": "{}"}
    lee.page.route("**/views/*", lambda route: route.fulfill(**busy), times=1)
    mia.press("j", "2")
    chip = lee.page.locator(".row").nth(1).locator(".chip.other", has_text="max:")
    expect(chip).to_be_visible(timeout=25_000)  # when it is asked for again
    expect(lee.page.locator(".row").first).to_have_class(re.compile("here"))


def test_a_killed_server_loses_nothing_and_the_page_goes_on(
    browser: Browser, tmp_path: Path, tiny: Tiny
) -> None:
    project = write_project(tmp_path / "weekend", tiny)
    with serving(project) as served:
        ann = Visitor(browser, served.link, "ann")
        ann.paste(ARTICLE, "Killed")
        ids = [row.get_attribute("data-id") for row in ann.page.locator(".row").all()]
        ann.press("0")
        served.kill()
        ann.page.keyboard.press("0")
        expect(ann.page.locator("#trouble")).to_contain_text("kept here and sent again")
        expect(ann.page.locator(".row").nth(1)).to_have_class(re.compile("saving"))
        with ann.page.expect_response("**/place"):  # which was not told while the server was gone
            served.start()
        expect(ann.page.locator("#saved")).to_have_text("Saved", timeout=20_000)
        assert set(readings(served.project)["ann"]) == {*ids[:2]}
        served.kill()
        ann.page.keyboard.press("0")
        expect(ann.page.locator("#trouble")).to_be_visible()
        served.start()
        again = ann.context.new_page()  # a closed page's answer is sent by the next one
        ann.page.close()
        again.goto(served.link)
        expect(again.locator(".row.answered")).to_have_count(3, timeout=20_000)
        expect(again.locator(".row").nth(2)).to_have_class(re.compile("here"))
        assert set(readings(served.project)["ann"]) == {*ids}


def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Browser, served: Served
) -> None:
    ann = Visitor(browser, served.link, "axe")
    ann.paste(f"Axe. {ARTICLE}", "Axe")
    ann.press("1", "j", "0", "s")
    view = ann.page.locator("[data-view][aria-current]").get_attribute("data-view")
    for name in (view, "counts", "training", "queue", "disagreements"):
        if name != view:
            ann.go(name)
        for width, scheme in ((1200, "dark"), (420, "light")):
            ann.page.set_viewport_size({"width": width, "height": 800})
            ann.page.emulate_media(color_scheme=scheme)
            _check(ann.page)
        ann.page.set_viewport_size({"width": 1200, "height": 800})
    ann.page.set_viewport_size({"width": 420, "height": 800})
    ann.page.get_by_role("button", name="Articles").click()
    _check(ann.page)
    ann.page.keyboard.press("?")
    _check(ann.page)
    assert ann.troubles == []


def _check(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_only_who_has_the_link_gets_in(browser: Browser, served: Served) -> None:
    page = browser.new_context().new_page()
    answer = page.goto(f"http://127.0.0.1:{served.port}/")
    assert answer is not None
    assert answer.status == 401
