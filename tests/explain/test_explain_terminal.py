"""Explanations on a terminal: with colours, without, in narrow windows, of hostile texts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Tiny
from rich.console import Console

from topicml import Model, classify_text, load_model
from topicml.explain.explainer import Explainer
from topicml.explain.nearest import load_labelled
from topicml.explain.records import ExplainedArticle, explain_article
from topicml.explain.terminal import (
    marked_text,
    write_explained_table,
    write_explanations,
)
from topicml.tagging.thresholds import choose_thresholds

TEXT = "Herbs from the garden bed went into the bread dough. Nobody answered. Leave a Reply"


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return load_model(tiny.folder)


def explained(
    model: Model, text: str = TEXT, labels: Sequence[Path] = (), *, full: bool = True
) -> ExplainedArticle:
    explainer = Explainer(model, labelled=load_labelled(model, labels))
    return explain_article(classify_text(text, model), explainer, full=full)


def drawn(article: ExplainedArticle, monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = io.StringIO()
    write_explanations(article, out)
    return out.getvalue()


def test_topics_words_and_reasons_are_told(
    model: Model, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = explained(model, labels=[tiny.labels])
    text = drawn(article, monkeypatch, columns=120)
    said = " ".join(text.split())
    for explanation in article.explanations:
        for topic in explanation.topics:
            assert f"{topic.topic} {topic.probability:.2f}" in said
            for word, added in explanation.strongest_words(topic, 3):
                assert f"{word.text} {added:+.2f}" in said
            assert f"= {topic.log_odds:.2f}, a probability of {topic.probability:.2f}" in said
            for neighbour in topic.nearest:
                assert f"{neighbour.similarity:+.2f} {neighbour.text}" in said
    assert "given from" in said
    assert "not given any more" in said
    assert "2 no topic: boilerplate" in said
    assert "failed 'leave a reply'" in said
    assert "passed share of Latin letters 1.00, at least 0.50" in said


def test_nothing_is_wider_than_a_terminal(
    model: Model, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = explained(model, labels=[tiny.labels])
    for columns in (80, 40):
        lines = drawn(article, monkeypatch, columns).splitlines()
        assert max(map(len, lines)) <= columns


def console(color: str | None) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=color, width=200)


def test_words_are_marked_by_signs_where_there_are_no_colours(model: Model) -> None:
    (explanation, *_) = explained(model).explanations
    baking = explanation.topic("baking")
    (strongest, _), *_ = explanation.strongest_words(baking, 1)
    plain = marked_text(explanation, baking, console(None))
    assert f"+++{strongest.text}" in plain.plain
    assert plain.plain.replace("+", "").replace("-", "") == explanation.text
    assert not plain.spans
    coloured = marked_text(explanation, baking, console("truecolor"))
    assert coloured.plain == explanation.text
    styles = {explanation.text[span.start : span.end]: span.style for span in coloured.spans}
    assert styles[strongest.text] == "bold white on blue"
    no_color = Console(file=io.StringIO(), force_terminal=True, no_color=True)
    assert marked_text(explanation, baking, no_color).plain == plain.plain


def test_table_of_classify_shows_the_words_that_decided(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    out = io.StringIO()
    article = explained(model, full=False)
    write_explained_table(article, choose_thresholds(model.scorer), out)
    said = " ".join(out.getvalue().split())
    assert "1 of 3 sentences tagged" in said
    explanation = article.explanations[0]
    for topic in explanation.topics:
        listed = ", ".join(f"{w.text} {a:+.2f}" for w, a in explanation.strongest_words(topic, 3))
        assert f"{topic.topic} {topic.probability:.2f}: {listed}" in said
    assert "no tag: boilerplate" in said


@pytest.mark.parametrize(
    "text",
    ["The \x1b[31mdough\x1b]0;title\x07 \x9b rises.", "The\ndough\u2028is\r\nin the o-\nven", " "],
)
def test_terminal_obeys_nothing_that_a_text_says(
    model: Model, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = drawn(explained(model, text), monkeypatch)
    assert all(character.isprintable() for character in said.replace("\n", ""))
    assert "dough" in said or not text.strip()


def test_thresholds_that_nothing_reaches_are_told(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = classify_text("The dough rises.", model, threshold=1.0)
    never = choose_thresholds(model.scorer, threshold=float("inf"))
    said = drawn(explain_article(article, Explainer(model, never)), monkeypatch)
    assert "never given" in said
