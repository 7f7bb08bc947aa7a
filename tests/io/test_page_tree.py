"""What is done to a page before its main text is found, each with what is lost without it."""

import contextlib
import json

import pytest

from topicml.errors import RecordError
from topicml.io.readers.html import main_text

FIRST = "The ministers met in Tokyo on Monday and agreed on a new command structure."
SECOND = "Officials said the exercise would go on until the end of the month, as planned."
THIRD = "The first of the ships is due in Yokosuka before the summer."


def text_of(body: str) -> list[str]:
    return main_text(f"<html><head><title>T</title></head><body>{body}</body></html>").split("\n\n")


@pytest.mark.parametrize(
    "middle",
    [
        f"<p><a href='/x'>{SECOND} It is the largest that the two have ever held.</a></p>",
        f"<p><em><a href='/x'>{SECOND}</a></em></p>",
        f"<ul><li><a href='/x'>{SECOND}</a></li></ul>",
        f"<div><a href='/x'>{SECOND}</a></div>",
    ],
)
def test_a_paragraph_that_is_only_a_link_is_kept(middle: str) -> None:
    found = text_of(f"<div><h1>Title</h1><p>{FIRST}</p>{middle}<p>{THIRD}</p></div>")
    assert any(paragraph.startswith(SECOND) for paragraph in found)
    assert (FIRST in found, found[-1]) == (True, THIRD)


@pytest.mark.parametrize(
    "menu",
    [
        "<ul><li><a href='/1'>Missions</a></li><li><a href='/2'>Our leaders</a></li></ul>",
        "<div><a href='/1'>Home</a> | <a href='/2'>About us</a> | <a href='/3'>Contact</a></div>",
        "<nav><a href='/1'>The forces of the United States of America in Japan.</a></nav>",
        "<div role='dialog'><p>We would like to send you news of this site.</p></div>",
        "<p class='post-byline'>Written for this newspaper by somebody.</p>",
        "<noscript><p>Please allow scripts so that you see our pictures.</p></noscript>",
    ],
)
def test_a_page_with_one_sentence_gives_that_alone(menu: str) -> None:
    assert text_of(f"{menu}<div class='x'><p>We mourn three soldiers.</p></div>{menu}") == [
        "We mourn three soldiers."
    ]


def test_links_that_a_paragraph_announces_are_a_list() -> None:
    names = "<ul><li><a href='/j'>Japan</a></li><li><a href='/k'>South Korea</a></li></ul>"
    found = text_of(f"<article><p>{FIRST}</p><p>They are:</p>{names}<p>{SECOND}</p></article>")
    assert found == [FIRST, "They are:", "Japan", "South Korea", SECOND]


@pytest.mark.parametrize("mark", ["<sup><a href='#n1'>1</a></sup>", "<a href='#n1'>[12]</a>"])
def test_marks_of_footnotes_are_left_out(mark: str) -> None:
    assert text_of(f"<article><p>{FIRST}{mark} {SECOND}</p></article>") == [f"{FIRST} {SECOND}"]


def test_a_table_that_lays_out_a_page_is_none() -> None:
    side = "<td><a href='/1'>Asia</a><br><a href='/2'>Europe</a></td>"
    row = f"<tr>{side}<td><b>Title of it</b><br><br>{FIRST}<br><br>{SECOND}</td></tr>"
    assert text_of(f"<table>{row}</table>")[-2:] == [FIRST, SECOND]


def test_what_is_in_tables_and_behind_them_is_kept() -> None:
    table = (
        f"<table><tr><th>Ship</th><th>Due</th></tr><tr><td>Boise</td><td>{SECOND}</td></tr></table>"
    )
    found = text_of(f"<article><p>{FIRST}</p>{table}<p>{THIRD}</p></article>")
    assert found == [FIRST, "Ship | Due", "Boise", SECOND, THIRD]


def test_linked_headlines_with_a_line_each_are_no_text() -> None:
    cards = "".join(
        f"<div class='c'><h3><a href='/{n}'>Headline number {n} of the day</a></h3>"
        "<p>One line says what the story is about.</p></div>"
        for n in range(4)
    )
    assert text_of(f"<p>{FIRST}</p>{cards}") == [FIRST]
    with pytest.raises(RecordError, match="no main text"):
        text_of(f"<h1>News</h1>{cards}")


def test_all_articles_of_a_page_are_read() -> None:
    posts = "".join(
        f"<article class='post'><h2>Title</h2><div class='entry'><p>{text}</p></div></article>"
        for text in (FIRST, SECOND, THIRD)
    )
    found = text_of(f"<main>{posts}<div class='sidebar'><p>Buy now.</p></div></main>")
    assert [paragraph for paragraph in found if paragraph != "Title"] == [FIRST, SECOND, THIRD]


def test_an_article_far_longer_than_those_beside_it_is_alone() -> None:
    other = "<article><p>Buy a subscription.</p></article>"
    assert text_of(f"<article><p>{FIRST}</p><p>{SECOND}</p></article>{other}") == [FIRST, SECOND]


@pytest.mark.parametrize(
    "page",
    [
        "<div>" + f"<a href='/x'>{FIRST}</a>" * 4_000 + "</div>",
        f"<article><p>{FIRST}</p></article>" * 2_000,
        "<h2><a href='/x'>a b</a></h2>" * 5_000,
    ],
)
def test_many_of_what_is_looked_for_are_no_trap(page: str) -> None:
    with contextlib.suppress(RecordError):  # in a minute; a slow machine needs less than half of it
        text_of(page)


@pytest.mark.parametrize(
    "items",
    [
        f"<ul><li>{SECOND}</li><li>Ships</li></ul>",
        f"<ul><li><span>{SECOND}</span></li><li><span>Ships</span></li></ul>",
        f"<dl><dt>{SECOND}</dt><dd>Ships</dd></dl>",
        f"<ol><li><p>{SECOND}</p></li><li>Ships</li></ol>",
        f"<div>{SECOND}</div><div><ul><li><p>Ships</p></li></ul></div>",
        f"<ol><li>{SECOND}<ul><li>Ships</li></ul></li></ol>",
        f"<div>{SECOND}<p>Ships</p></div>",
    ],
)
def test_lists_are_kept_where_no_name_tells_of_an_article(items: str) -> None:
    found = text_of(f"<div><h1>Title</h1><p>{FIRST}</p>{items}<p>{THIRD}</p></div>")
    assert found[-4:] == [FIRST, SECOND, "Ships", THIRD]


def test_empty_lines_part_paragraphs_and_single_breaks_do_not() -> None:
    text = f"{FIRST}<br>\n<br/>{SECOND}<br>{THIRD}<br><br><br><b>Then</b> they left.<br>"
    assert text_of(f"<div><h1>Title</h1>{text}</div>")[-3:] == [
        FIRST,
        f"{SECOND}\n{THIRD}",
        "Then they left.",
    ]


def stating(body: str, shown: str = "") -> str:
    data = json.dumps({"@graph": [{"@type": "NewsArticle", "articleBody": body}]})
    script = f"<script type='application/ld+json'>{data}</script>"
    return main_text(f"<html><head>{script}</head><body><div>{shown}</div></body></html>")


@pytest.mark.parametrize(
    "body",
    [
        f"{FIRST}\n\n{SECOND}",
        f"<p>{FIRST}</p><p>{SECOND}</p>",
        f"&lt;p&gt;{FIRST}&lt;/p&gt;{SECOND}",
        f"{FIRST}\x01<br/>{SECOND}",
    ],
)
def test_an_article_that_a_page_states_and_does_not_show(body: str) -> None:
    assert stating(body) == f"{FIRST}\n\n{SECOND}"
    assert stating(body, "<p>Loading the page…</p>") == f"{FIRST}\n\n{SECOND}"


def test_what_a_page_shows_counts_where_it_shows_most_of_it() -> None:
    assert stating(FIRST, f"<p>{FIRST} {SECOND}</p>") == f"{FIRST} {SECOND}"


@pytest.mark.parametrize(
    "data", ["{", "[" * 100_000, '{"articleBody": 3}', '{"articleBody": ["x"]}']
)
def test_statements_that_say_nothing(data: str) -> None:
    script = f"<script type='application/ld+json'>{data}\"articleBody\"</script>"
    assert text_of(f"{script}<p>{FIRST}</p>") == [FIRST]


@pytest.mark.parametrize("name", ["text", "article-body", "story-body", "content"])
def test_a_lead_apart_from_the_text_is_kept(name: str) -> None:
    lead = f"<header><h1>Title</h1><p class='lead'>{FIRST}</p></header>"
    found = text_of(f"<main>{lead}<div class='{name}'><p>{SECOND}</p><p>{THIRD}</p></div></main>")
    assert found[-3:] == [FIRST, SECOND, THIRD]


def test_all_parts_of_a_text_are_kept_that_have_the_same_name() -> None:
    parts = "".join(f"<div class='text'><p>{text}</p></div>" for text in (FIRST, SECOND, THIRD))
    assert text_of(f"<section><h1>Title</h1>{parts}</section>")[-3:] == [FIRST, SECOND, THIRD]
