"""The page says what the records say, and what is in a text does nothing in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import Tiny
from lxml import html
from made import HOSTILE, five_articles, hostile_documents, report_of, shipped_model

from topicml.errors import OutputError
from topicml.models.folder import open_model
from topicml.report.article import shown_text
from topicml.report.tagged import EPOCH, Rejected, TaggedReport
from topicml.report.words import words_behind
from topicml.scheme import Scheme
from topicml.tagging.articles import ReadAgain, TaggedArticle, article_topics
from topicml.tagging.tagger import Tagger
from topicml.tagging.thresholds import choose_thresholds
from topicml.text.document import Document
from topicml.text.normalise import printable

Tree = Any


@pytest.fixture(autouse=True, scope="module")
def _dated() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EPOCH, "1767225600")
        yield


@pytest.fixture(scope="module")
def made(_dated: None) -> tuple[Tree, list[TaggedArticle], str]:
    page, articles = report_of(shipped_model(), five_articles(), ["a.txt:1: <empty>", "b: none"])
    return html.fromstring(page), articles, page


def texts(found: list[Tree]) -> list[str]:
    return [" ".join(element.text_content().split()) for element in found]


def test_every_sentence_stands_in_its_article_with_its_topics(made: Any) -> None:
    tree, articles, _ = made
    for number, article in enumerate(articles):
        shown = tree.xpath(f"//article[@id='a{number}']//span[starts-with(@class,'s')]")
        assert len(shown) == len(article.sentences)
        for element, own in zip(shown, article.sentences, strict=True):
            assert element[0].text_content() == own.sentence.text
            chips = texts(element.xpath(".//span[starts-with(@class,'c ')]"))
            columns = [article.topic_ids.index(topic) for topic in own.topics]
            values = {article.topic_ids[t]: f"{own.probabilities[t]:.2f}" for t in columns}
            assert {*chips} == {f"{topic} {value}" for topic, value in values.items()}
            assert bool(element.xpath(".//span[contains(@class,'r-')]")) is (not own.topics)


def test_the_overview_counts_sentences_by_topic(made: Any) -> None:
    tree, articles, _ = made
    rows = tree.xpath("//tbody/tr")
    for row, article in zip(rows, articles, strict=True):
        counts = {t.topic: str(len(t.sentences)) for t in article.topics}
        cells = texts(row.xpath("td"))
        tagged = sum(bool(tags) for tags in article.tags)
        assert cells[:-2] == [counts.get(topic, "") for topic in article.topic_ids]
        assert cells[-2:] == [str(tagged), str(len(article.spans))]
    sentences, in_articles = (texts(row.xpath("td")) for row in tree.xpath("//tfoot/tr"))
    columns = [*zip(*(texts(row.xpath("td")) for row in rows), strict=True)]
    assert sentences == [str(sum(int(cell or 0) for cell in column)) for column in columns]
    assert in_articles[:-2] == [str(sum(map(bool, column))) for column in columns[:-2]]


def test_the_head_says_model_date_thresholds_limits_and_rejects(made: Any) -> None:
    tree, articles, _ = made
    (head,) = texts(tree.xpath("//header[@class='top']"))
    model = shipped_model()
    assert f"Topics of {len(articles)} articles" in head
    assert f"Tagged by {model.reference}, 1 January 2026, 00:00 UTC." in head
    assert f"a probability of {model.scorer.thresholds[0]:.2f} on" in head
    assert f"relevance reaches {model.scorer.relevance_threshold:.2f}" in head
    assert "judges English sentences standing alone" in head
    assert "Read what matters yourself." in head
    assert "2 could not be tagged a.txt:1: <empty> b: none" in head.replace("<empty>b", "<empty> b")


def test_thresholds_that_differ_are_listed(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    thresholds = choose_thresholds(model.scorer, min_precision=0.6)
    thresholds.topics[:] = [0.25, 0.5, float("inf")]
    report = TaggedReport(model, thresholds)
    page = html.fromstring(report.render())
    (listed,) = [d for d in page.xpath("//details") if d.findtext("summary") == "Thresholds"]
    assert texts(listed.xpath(".//li")) == ["baking 0.25", "gardening 0.50", "sailing never given"]
    assert "Topics of 0 articles" in page.findtext(".//h1")


def test_a_scheme_of_one_topic_a_text_gives_the_likeliest(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    multiclass = replace(model, scorer=replace(model.scorer, scheme=Scheme("multiclass")))
    for opened, said in (
        (model, "A topic is given"),
        (multiclass, "The likeliest topic is given,"),
    ):
        page = TaggedReport(opened, choose_thresholds(model.scorer)).render()
        (head,) = texts(html.fromstring(page).xpath("//p[@class='facts']"))
        assert f"UTC. {said} from a probability of" in head


def test_too_many_rejects_are_counted(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    report = TaggedReport(model, choose_thresholds(model.scorer))
    page = report.render(Rejected(1234, [f"{n}: broken" for n in range(300)]))
    assert "1,234 could not be tagged" in page
    assert "and 1,034 more" in page


def test_the_script_has_all_probabilities(made: Any) -> None:
    tree, articles, _ = made
    data = json.loads(tree.xpath("//script[@id='data']")[0].text)
    assert data["topics"] == [*articles[0].topic_ids]
    for known, article in zip(data["articles"], articles, strict=True):
        assert len(known["p"]) == len(article.spans)
        assert known["p"][0] == [round(1000 * p) for p in article.probabilities[0]]
        assert {*known["w"]} == {str(n) for n, tags in enumerate(article.tags) if tags}


def test_it_can_be_made_again_to_the_byte(made: Any) -> None:
    again, _ = report_of(shipped_model(), five_articles(), ["a.txt:1: <empty>", "b: none"])
    assert again == made[2]


def test_a_time_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tiny: Tiny) -> None:
    monkeypatch.setenv(EPOCH, "yesterday")
    model = open_model(tiny.folder)
    with pytest.raises(OutputError) as caught:
        TaggedReport(model, choose_thresholds(model.scorer))
    assert caught.value.where == EPOCH
    assert "'yesterday' is no time" in caught.value.what
    assert "whole seconds" in caught.value.hint


def test_what_is_in_texts_ids_and_fields_is_text() -> None:
    page, articles = report_of(shipped_model(), hostile_documents(), HOSTILE)
    tree = html.fromstring(page)
    assert len(tree.xpath("//script")) == 2  # the data and the page's own
    assert not tree.xpath("//img | //i | //@onerror | //@onmouseover | //@onclick | //@style")
    assert {*tree.xpath("//article//@lang")} == {"en"}
    assert not tree.xpath("//article//a")  # of these addresses none is one
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", page)
    for number, article in enumerate(articles):
        (element,) = tree.xpath(f"//article[@id='a{number}']")
        (shown_id,) = element.xpath(".//bdi[@class='id']")
        assert shown_id.text == printable(article.id)
        first = element.xpath(".//span[starts-with(@class,'s')]")[0]
        assert first[0].text_content() == shown_text(article.sentences[0].sentence.text)


def test_web_addresses_are_links_that_tell_nothing(tiny: Tiny) -> None:
    page, _ = report_of(
        open_model(tiny.folder), [Document("a", "Bread.", kept={"url": "https://example.org/?a&b"})]
    )
    (link,) = html.fromstring(page).xpath("//article//a")
    assert link.get("href") == link.text_content() == "https://example.org/?a&b"
    assert link.get("rel") == "noopener noreferrer"


def test_unfamiliar_articles_are_flagged(tiny: Tiny) -> None:
    page, _ = report_of(
        open_model(tiny.folder),
        [Document("a", "Qwzx vbnq plokm zzgh wqqk. The dough is warm."), Document("b", "Bread.")],
    )
    tree = html.fromstring(page)
    assert texts(tree.xpath("//p[@class='flag']/strong")) == ["Unfamiliar:"]
    assert len(tree.xpath("//tbody//strong[@class='badge']")) == 1


def test_what_a_second_model_read_is_said_and_has_no_words_of_the_first(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    tagger = Tagger(model.scorer, "m")
    (article,) = tagger.tag([Document("a", "The dough is in the oven. They hoisted the sails.")])
    again = ReadAgain("other@2.0.0", (1,), tagger.thresholds)
    words = words_behind(model)
    report = TaggedReport(model, tagger.thresholds, words)
    report.add(replace(article, second_opinion=again))
    tree = html.fromstring(report.render())
    assert "1 of 2 sentences read again by other@2.0.0." in tree.xpath("string(//article/header)")
    assert [("read again" in s.text_content()) for s in tree.xpath("//div/p/span")] == [False, True]
    data = json.loads(tree.xpath("//script[@id='data']")[0].text)
    assert {*data["articles"][0]["w"]} == {"0"}


def test_a_text_taken_as_one_sentence_keeps_its_lines(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    tagger = Tagger(model.scorer, "m", unit="sentence")
    report = TaggedReport(model, tagger.thresholds)
    for article in tagger.tag([Document("a", "The dough.\n\nThe oven."), Document("b", "")]):
        report.add(article)
    first, second = html.fromstring(report.render()).xpath("//span[starts-with(@class,'s')]")
    assert first[0].text_content() == "The dough.\n\nThe oven."
    assert "b" in first.get("class").split()
    assert second[0].text_content() == ""


def test_sixty_topics_are_a_page_too(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    (article,) = Tagger(model.scorer, "m").tag([Document("a", "The dough is in the oven.")])
    names = tuple(f"topic-{n}" for n in range(60))
    thresholds = choose_thresholds(model.scorer)
    scorer = replace(model.scorer, topics=names)
    wide = replace(thresholds, topics=thresholds.topics[:1].repeat(60))
    report = TaggedReport(replace(model, scorer=scorer), wide)
    tags = [(n, n / 100) for n in range(60)]
    assert article.codes.tolist() == [0]
    report.add(
        replace(
            article,
            topic_ids=names,
            topics=article_topics(names, [tags]),
            tags=[tags],
            probabilities=article.probabilities[:, :1].repeat(60, axis=1),
        )
    )
    tree = html.fromstring(report.render())
    assert len(tree.xpath("//tbody//td")) == 62
    assert len(tree.xpath("//article//span[starts-with(@class,'c ')]")) == 60
