"""The report in a real browser: read, sifted, by keyboard, by touch, on paper; and its picture."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import needs_browser, open_browser
from conftest import ROOT
from made import HOSTILE, five_articles, hostile_documents, report_of, shipped_model
from playwright.sync_api import Browser, Page, expect

from topicml.report.tagged import EPOCH
from topicml.tagging.articles import TaggedArticle
from topicml.text.document import Document

pytestmark = needs_browser

PICTURES = "TOPICML_PICTURES"
"""Environment variable that has the pictures of the documentation made anew."""

LARGEST_PICTURE = 250_000
WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 420, "height": 800}
STRANGE = Document("strange", "Qwzx vbnq plokm zzgh wqqk frrt. Der Hund ist nicht da und schläft.")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TaggedArticle]]:
    """The five articles, one of no known word, and hostile ones behind them."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    documents = [*five_articles(), STRANGE, *hostile_documents()]
    page, articles = report_of(shipped_model(), documents, HOSTILE)
    file.write_text(page, encoding="utf-8")
    return file, articles


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five articles alone, of a day that does not change."""
    file = tmp_path_factory.mktemp("pictured") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EPOCH, "1767225600")
        page, _ = report_of(shipped_model(), five_articles())
    file.write_text(page, encoding="utf-8")
    return file


@pytest.fixture
def opened(browser: Browser, made: tuple[Path, list[TaggedArticle]]) -> Iterator[Open]:
    """Open the report; whatever it loads, says or asks is a failure."""
    contexts, wrong = [], []

    def open_page(hash_: str = "", file: Path = made[0], **options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        own = file.as_uri()
        page.on("request", lambda r: None if r.url.split("#")[0] == own else wrong.append(r.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto(own + hash_)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def carriers(articles: list[TaggedArticle], topic: str) -> list[int]:
    return [sum(topic in s.topics for s in article.sentences) for article in articles]


def of(shown: int, articles: list[TaggedArticle], sentences: int) -> str:
    total = sum(len(article.spans) for article in articles)
    return f"{shown} of {len(articles)} articles, {sentences} of {total} sentences."


def test_nothing_in_a_text_is_obeyed(opened: Open) -> None:
    page = opened()
    for element in page.locator("article").last.locator(".s").all():
        element.hover()
    page.fill("#q", "window.harmed")
    expect(page.locator("#count")).not_to_contain_text("116 of")
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", WIDE), ("dark", WIDE), ("dark", NARROW)],
    ids=["light", "dark", "narrow"],
)
def test_axe_finds_nothing_wrong(opened: Open, scheme: str, size: dict[str, int]) -> None:
    page = opened(color_scheme=scheme, viewport=size)
    page.locator("#sift").evaluate("details => { details.open = true; }")
    page.check("input[value='5']")
    page.locator("article .text .s:not(.off) .g").nth(1).focus()
    expect(page.locator("#tip")).to_be_visible()
    draw_all(page)  # of what is not drawn yet axe takes the colours for one another's
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_topics_are_sifted_and_the_address_remembers(opened: Open, made: Any) -> None:
    _, articles = made
    page = opened()
    expect(page.locator("#count")).to_have_text(
        of(len(articles), articles, sum(len(a.spans) for a in articles))
    )
    page.get_by_label("extended-deterrence").check()
    counts = carriers(articles, "extended-deterrence")
    expect(page.locator("#count")).to_have_text(of(sum(map(bool, counts)), articles, sum(counts)))
    assert page.locator("tbody tr:visible").count() == sum(map(bool, counts))
    chips = page.locator("article .text .c:visible").all_text_contents()
    assert {chip.split()[0] for chip in chips} == {"extended-deterrence"}
    page.get_by_label("Only tagged sentences").check()
    assert page.locator("article .text .s:visible").count() == sum(counts)
    assert page.locator("h3 .s").first.is_visible()
    assert page.url.endswith("#?topic=extended-deterrence&only=tagged")
    again = opened(page.url.partition(".html")[2])
    expect(again.locator("#count")).to_have_text(of(sum(map(bool, counts)), articles, sum(counts)))
    expect(again.get_by_label("extended-deterrence")).to_be_checked()
    again.get_by_role("button", name="Show all").first.click()
    assert again.locator("article:visible").count() == len(articles)
    assert not again.url.endswith("tagged")


def test_what_has_no_topic_is_found_by_its_reason(opened: Open, made: Any) -> None:
    _, articles = made
    reasons = [s.reason for article in articles for s in article.sentences]
    page = opened()
    page.check("input[value='r-not_english']")
    page.check("#only")
    assert page.locator("p .s:visible").count() == reasons.count("not_english") > 0


def test_text_is_found(opened: Open, made: Any) -> None:
    _, articles = made
    page = opened()
    page.keyboard.press("/")
    page.keyboard.type("INDOPACOM")
    found = [[s for s in a.sentences if "indopacom" in s.sentence.text.lower()] for a in articles]
    expect(page.locator("#count")).to_have_text(
        of(sum(map(bool, found)), articles, sum(map(len, found)))
    )
    page.fill("#q", "no such words anywhere")
    expect(page.locator("#nothing")).to_be_visible()
    page.locator("#nothing button").click()
    expect(page.locator("#nothing")).to_be_hidden()


def test_keys_go_from_tagged_sentence_to_tagged_sentence(opened: Open, made: Any) -> None:
    _, articles = made
    page = opened()
    tip = page.locator("#tip")
    page.keyboard.press("j")
    first = next(s for s in articles[0].sentences if s.topics)
    focused = page.locator(".g:focus")
    expect(focused).to_have_attribute("aria-describedby", "tip")
    assert focused.locator("xpath=..").locator(".m").first.text_content() == first.sentence.text
    probabilities = sorted((f"{p:.2f}" for p in first.probabilities), reverse=True)
    shown = tip.locator(".number").all_text_contents()
    assert sorted(shown, reverse=True) == probabilities
    assert tip.locator(".given .name").count() == len(first.topics)
    assert tip.locator(".given .words span").count() > 0
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    expect(focused).not_to_have_attribute("aria-describedby", "tip")
    page.keyboard.press("Enter")
    expect(tip).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused.locator("xpath=..").locator(".m").first.text_content() == first.sentence.text
    page.locator("#keys").uncheck()
    page.keyboard.press("j")
    expect(page.locator("#keys")).to_be_focused()


def test_tab_leads_over_the_skip_link_to_the_articles(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#articles")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("article .g").first).to_be_focused()
    expect(page.locator("#tip")).to_be_visible()


def test_pointing_shows_and_leaving_hides(opened: Open) -> None:
    page = opened()
    sentence = page.locator("article .text .s").first
    sentence.scroll_into_view_if_needed()
    sentence.locator(".g").hover()
    tip = page.locator("#tip")
    expect(tip).to_be_visible()
    tip.hover()
    page.wait_for_timeout(400)
    expect(tip).to_be_visible()
    page.locator("h2#articles").hover()
    expect(tip).to_be_hidden()


def test_a_tap_shows_and_another_hides(opened: Open) -> None:
    page = opened(viewport=NARROW, has_touch=True, is_mobile=True)
    page.locator("article .text .g").first.tap()
    tip = page.locator("#tip")
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW["width"]
    page.touchscreen.tap(200, 5)
    expect(tip).to_be_hidden()


@pytest.mark.parametrize("size", [WIDE, NARROW, {"width": 320, "height": 640}])
def test_only_the_overview_scrolls_sideways(opened: Open, size: dict[str, int]) -> None:
    page = opened(viewport=size)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]
    overview = "document.querySelector('.matrix')"
    if size != WIDE:
        assert page.evaluate(f"{overview}.scrollWidth > {overview}.clientWidth")
        page.evaluate(f"{overview}.scrollLeft = 200")
        first = page.locator("tbody .first").first.bounding_box()
        frame = page.locator(".matrix").bounding_box()
        assert first is not None
        assert frame is not None
        assert abs(first["x"] - frame["x"]) < 3


def test_the_overview_leads_to_articles_and_sorts(opened: Open, made: Any) -> None:
    _, articles = made
    page = opened()
    page.locator("tbody a").nth(2).click()
    expect(page.locator("#a2")).to_be_focused()
    expect(page.locator("#a2")).to_be_in_viewport()
    assert page.url.endswith("#?at=a2")
    column = articles[0].topic_ids.index("regional-threats")
    page.get_by_role("button", name="regional-threats", exact=True).click()
    cells = page.locator(f"tbody tr td:nth-of-type({column + 1})").all_text_contents()
    counts = [int(cell or 0) for cell in cells]
    assert counts == sorted(carriers(articles, "regional-threats"), reverse=True)
    heads = page.locator("th[aria-sort=descending]")
    assert "regional-threats" in (heads.text_content() or "")
    page.get_by_role("button", name="Article", exact=True).click()
    expect(heads).to_have_count(0)
    assert page.locator("tbody a").first.get_attribute("href") == "#a0"


def test_without_scripts_all_is_there_to_read(opened: Open, made: Any) -> None:
    _, articles = made
    page = opened(java_script_enabled=False)
    assert page.locator(".s:visible").count() == sum(len(a.spans) for a in articles)
    assert page.locator(".g .c").first.is_visible()
    for hidden in ("#q", "#only", "#count", ".keys", "input[name=t]"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator(".legend .line").first.is_visible()


def test_paper_has_topics_beside_sentences_and_no_controls(opened: Open) -> None:
    page = opened(color_scheme="dark", viewport=NARROW)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for hidden in ("#q", "#count", ".keys", "#tip", ".skip", ".legend input"):
        assert not page.locator(hidden).first.is_visible()
    chip = page.locator(".text .c").first
    assert chip.is_visible()
    assert page.locator(".legend .line").first.is_visible()
    assert chip.evaluate("c => getComputedStyle(c, '::before').content") == '"["'
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("report-overview", "light"), ("report", "light"), ("report-dark", "dark")],
)
def test_pictures_of_the_documentation(
    opened: Open, pictured: Path, name: str, scheme: str
) -> None:
    page = opened(file=pictured, color_scheme=scheme, viewport={"width": 1120, "height": 800})
    draw_all(page)
    if name != "report-overview":
        page.evaluate("scrollTo(0, document.querySelector('#a1').offsetTop - 16)")
        page.locator("#a1 .text .g").nth(2).focus()
        expect(page.locator("#tip")).to_be_visible()
    picture = page.screenshot()
    kept = ROOT / "docs/images" / f"{name}.png"
    if os.environ.get(PICTURES):
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(picture)
    assert kept.stat().st_size < LARGEST_PICTURE
    assert size_of(kept.read_bytes()) == size_of(picture)


def draw_all(page: Page) -> None:
    """Have all articles drawn, and not only those in the window."""
    page.evaluate(
        "for (const article of document.querySelectorAll('article'))"
        " article.style.contentVisibility = 'visible';"
    )


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height
