"""Trees of main texts, as trafilatura makes them, to paragraphs."""

import pytest
from lxml import etree

from topicml.io.readers.page_text import page_text

FIRST = "The ministers met in Tokyo."
SECOND = "They will meet again."


def text_of(body: str) -> list[str]:
    text = page_text(etree.fromstring(f"<body>{body}</body>"))
    return text.split("\n\n") if text else []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>{FIRST}</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (f"<p>The <hi>ministers</hi> met <ref>in Tokyo</ref>.</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (f"<p>{FIRST}<lb/>{SECOND}</p>", [f"{FIRST}\n{SECOND}"]),
        (f"<p>{FIRST}<lb/><lb/>{SECOND}</p>", [FIRST, SECOND]),
        (
            f"{FIRST}<list><item>Radars</item><item>• Ships</item></list>",
            [FIRST, "Radars", "Ships"],
        ),
        (f"<list><item>{FIRST}<list><item>{SECOND}</item></list></item></list>", [FIRST, SECOND]),
        (f"<quote><p>{FIRST}</p>Tail of it</quote><p>{SECOND}</p>", [FIRST, "Tail of it", SECOND]),
        ("<p>The\u00a0ministers  met\tin\u200b To\u00adkyo.</p>", [FIRST]),
        ("<p>Cafe\u0301s in Tokyo were full.</p>", ["Cafés in Tokyo were full."]),
        (f"<p>{FIRST}</p><p>* * *</p><p>1</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (
            f"<table><row><cell>Navy</cell><cell>2</cell></row><row><cell>{FIRST}</cell></row></table>",
            ["Navy | 2", FIRST],
        ),
        (
            "<p>日本とフィリピンの防衛大臣が会談した。</p>",
            ["日本とフィリピンの防衛大臣が会談した。"],
        ),
    ],
)
def test_paragraphs(body: str, expected: list[str]) -> None:
    assert text_of(body) == expected


def test_labels_around_the_sentences_are_left_out() -> None:
    labels = "<p>July 19, 2024</p><p>Commentary</p>"
    body = f"<head>Title</head>{labels}<p>{FIRST}</p><p>In Manila</p><p>{SECOND}</p>{labels}"
    assert text_of(f"{body}<head>More</head>") == ["Title", FIRST, "In Manila", SECOND]
    items = "<list><item>Ships</item></list>"
    assert text_of(f"<p>{FIRST}</p>{items}") == [FIRST, "Ships"]


@pytest.mark.parametrize(
    "line",
    [
        "Read more: What the pact says",
        "Also read: What the pact says.",
        "Related stories",
        "Reporting by Ann Lee in Tokyo; Editing by Paul Weir",
        "© 2024 The Post. All rights reserved.",
        "(c) World Wire",
        "Copyright 2024 The Post",
        "Sign up here for our newsletter.",
        "Photo by Ann Lee",
        "This article was originally published in May.",
        "You are receiving this email because you asked for it. You can unsubscribe.",
    ],
)
def test_lines_that_only_a_page_says_are_left_out(line: str) -> None:
    assert text_of(f"<p>{FIRST}</p><p>{line}</p><p>{SECOND}</p>") == [FIRST, SECOND]


@pytest.mark.parametrize(
    "sentence",
    [
        "Related talks on fuel went on in Manila.",
        "Reporting by the ministry shows that fewer aircraft came.",
        "(c) The Parties will consult each other.",
        "Copyright law was not a matter of the talks.",
        "This article of the treaty has been invoked once.",
        "Ad hoc groups will meet.",
        "Video of the strike was shown to the ministers.",
    ],
)
def test_sentences_that_only_begin_like_them_are_kept(sentence: str) -> None:
    assert text_of(f"<p>{FIRST}</p><p>{sentence}</p>") == [FIRST, sentence]


def test_a_consent_wall_and_a_title_alone_are_no_text() -> None:
    wall = "<p>We use cookies to measure ads.</p><p>You may withdraw your consent at any time.</p>"
    assert text_of(wall) == []
    assert text_of(f"{wall}<p>{FIRST} {SECOND * 9}</p>")
    assert text_of("<head>News</head>") == []
