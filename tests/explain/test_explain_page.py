"""Explanations as a page: self-contained, escaped, readable by all."""

from __future__ import annotations

from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from browsers import needs_browser, open_browser
from conftest import Tiny

from topicml import Model, classify_text, load_model
from topicml.explain.explainer import Explainer
from topicml.explain.nearest import load_labelled
from topicml.explain.page import explanation_fragment, explanation_page
from topicml.explain.records import ExplainedArticle, explain_article

TEXT = "Herbs from the garden bed went into the bread dough. Nobody answered. Leave a Reply"


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_model(tiny.folder)


@pytest.fixture(scope="module")
def article(model: Model, tiny: Tiny) -> ExplainedArticle:
    explainer = Explainer(model, labelled=load_labelled(model, [tiny.labels]))
    return explain_article(classify_text(TEXT, model), explainer)


class Reader(HTMLParser):
    """Reads the marked words of a page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.marked: list[tuple[str, bool]] = []
        self.loads: list[str] = []
        self.text = ""
        self._against = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [found[name] or "" for name in ("src", "href") if name in found]
        self._against = found.get("class") == "against"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "mark":
            self.marked.append((data, self._against))
        if "style" not in self.open:
            self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_page_has_all_and_loads_nothing(article: ExplainedArticle) -> None:
    page = read(explanation_page([article]))
    assert page.loads == []
    said = " ".join(page.text.split())
    for explanation in article.explanations:
        for topic in explanation.topics:
            assert f"{topic.topic} {topic.probability:.2f}" in said
            assert explanation.text in said
            for neighbour in topic.nearest:
                assert neighbour.text in said
    assert "No topic: boilerplate." in said
    assert "failed 'leave a reply'" in said


def test_marks_are_the_words_for_and_against(article: ExplainedArticle) -> None:
    explanation = article.explanations[0]
    marked = read(explanation_fragment(explanation)).marked
    for topic in explanation.topics:
        most = max(map(abs, topic.words))
        for word, added in zip(explanation.words, topic.words, strict=True):
            if abs(added) >= 0.05 * most:
                assert (word.text, added < 0) in marked


def test_what_texts_say_is_escaped(model: Model) -> None:
    text = "The <b>dough</b> & <script>alert('bread')</script> oven."
    article = explain_article(classify_text(text, model, unit="sentence"), Explainer(model))
    page = explanation_page([article])
    assert "<script" not in page
    assert "<b>" not in page
    assert text in " ".join(read(page).text.split())


def test_templates_come_with_the_package() -> None:
    folder = resources.files("topicml.explain") / "templates"
    names = {file.name for file in folder.iterdir()}
    assert names == {"explained.html", "explanation.html", "explained.css"}


@needs_browser
def test_page_is_accessible_and_fits_windows_of_all_widths(
    article: ExplainedArticle, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "page.html"
    path.write_text(explanation_page([article]), encoding="utf-8")
    with open_browser() as browser:
        for scheme, width in (("light", 1200), ("dark", 420)):
            page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
            page.goto(path.as_uri())
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()


def test_page_is_the_same_each_time(article: ExplainedArticle) -> None:
    assert explanation_page([article]) == explanation_page([article])
    assert 'data-strength="4"' in explanation_page([article])
