"""What is shown of an article is what is in it."""

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.models.folder import open_model
from topicml.report.article import figures_of, is_web_address, shown_text, view_article
from topicml.report.words import words_behind
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

TEXT = "Bread and wind\n\nThe dough is in the oven. They hoisted the sails.\n\nNobody answered."


@pytest.fixture(scope="module")
def tagger(tiny: Tiny) -> Tagger:
    return Tagger(open_model(tiny.folder).scorer, "weekend@1.0.0")


def tag(tagger: Tagger, text: str, **fields: object) -> TaggedArticle:
    (article,) = tagger.tag([Document("a", text, kept=fields)])
    return article


def test_paragraphs_are_those_of_the_text(tagger: Tagger) -> None:
    view = view_article(tag(tagger, TEXT), 0)
    assert [s.text for s in view.heading] == ["Bread and wind"]
    assert [[s.text for s in p] for p in view.paragraphs] == [
        ["The dough is in the oven.", "They hoisted the sails."],
        ["Nobody answered."],
    ]
    assert view.name == "Bread and wind"


def test_a_title_that_is_no_paragraph_is_a_heading_of_its_own(tagger: Tagger) -> None:
    view = view_article(tag(tagger, TEXT, title="Weekend", date="2024-05-01"), 0)
    assert (view.name, view.title, view.heading) == ("Weekend", "Weekend", ())
    assert len(view.paragraphs) == 3
    assert view.fields == {"date": "2024-05-01"}
    same = view_article(tag(tagger, TEXT, title="Bread and wind"), 0)
    assert [s.text for s in same.heading] == ["Bread and wind"]


def test_a_long_beginning_is_no_heading(tagger: Tagger) -> None:
    view = view_article(tag(tagger, "The dough rises in the warm oven again. " * 5), 0)
    assert view.heading == ()
    assert view.name.endswith("…")
    assert len(view.paragraphs[0]) == 5


def test_the_page_around_an_article_is_not_its_name(tagger: Tagger) -> None:
    view = view_article(tag(tagger, "BLOGS\n\nThe dough is in the oven.\n"), 0)
    assert view.heading == ()
    assert view.name == "The dough is in the oven."


def test_tags_stand_the_most_probable_first_and_are_counted(tagger: Tagger) -> None:
    article = tag(tagger, TEXT)
    view = view_article(article, 3)
    shown = [*view.heading, *(s for p in view.paragraphs for s in p)]
    for sentence, own in zip(shown, article.sentences, strict=True):
        assert sorted(t for t, _ in sentence.tags) == [
            article.topic_ids.index(t) for t in own.topics
        ]
        values = [p for _, p in sentence.tags]
        assert values == sorted(values, reverse=True)
        assert sentence.reason == own.reason
    assert view.tagged == sum(bool(s.tags) for s in shown)
    assert sum(view.counts) == sum(len(s.tags) for s in shown)


def test_text_that_the_model_has_no_words_for_is_flagged(tagger: Tagger) -> None:
    assert not view_article(tag(tagger, TEXT), 0).is_unfamiliar
    strange = view_article(tag(tagger, "Qwzx vbnq plokm zzgh wqqk. Der Hund ist nicht da."), 0)
    assert strange.is_unfamiliar
    assert strange.unfamiliar == 2


def test_words_are_where_the_browser_finds_them(tiny: Tiny, tagger: Tagger) -> None:
    model = open_model(tiny.folder)
    words = words_behind(model)
    text = "🤝🤝 The dough is in the oven."
    figures = figures_of(tag(tagger, text), words)
    ((topic, found),) = figures["w"][0].items()
    utf16 = text.encode("utf-16-le")
    named = [utf16[2 * start : 2 * end].decode("utf-16-le") for start, end, _ in found]
    assert topic == 0
    assert {"dough", "oven"} <= {*named[:3]}
    assert [abs(added) for _, _, added in found] == sorted((abs(w[2]) for w in found), reverse=True)
    assert figures["p"][0][0] == round(1000 * tag(tagger, text).probabilities[0, 0])


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        (" https://example.org", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https:///x", False),
    ],
)
def test_only_web_addresses_are_links(address: str, is_one: bool) -> None:
    assert is_web_address(address) is is_one


ANY_TEXT = st.text(st.characters() | st.sampled_from("\r\n\x00\x85\u2028 .\u202e<&"), max_size=60)


@given(ANY_TEXT)
def test_a_shown_text_has_as_many_characters_and_none_that_a_page_may_not_have(text: str) -> None:
    shown = shown_text(text)
    assert len(shown) == len(text)
    assert "\r" not in shown
    assert not {chr(n) for n in (0, 7, 0x7F, 0x85, 0xFFFE)} & {*shown}
    assert [a for a, b in zip(text, shown, strict=True) if a != b and a.isalnum()] == []


@given(ANY_TEXT.filter(str.strip))
def test_every_sentence_is_shown_once_in_its_order(tagger: Tagger, text: str) -> None:
    article = tag(tagger, text)
    view = view_article(article, 0)
    shown = [s.text for p in (view.heading, *view.paragraphs) for s in p]
    assert shown == [shown_text(s.sentence.text) for s in article.sentences]
    assert np.shape(figures_of(article, None)["p"])[:1] == (len(shown),)
