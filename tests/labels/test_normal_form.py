from __future__ import annotations

import pytest
from archive_samples import MARKDOWN, MARKDOWN_FORM, TRANSCRIPT, TRANSCRIPT_FORM

from topicml.errors import LabelError
from topicml.labels.normal_form import document_text, normal_form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("---\ntitle: a\n---\nText", "Text"),
        ("Text\n---\ntitle: a\n---\nText", "Text --- title: a --- Text"),  # not at the beginning
        ("---\ntitle: a\nText", "--- title: a Text"),  # not closed
        ("See ![a map](map.png) here", "See here"),
        ("See [the map](map.png) here", "See the map here"),
        ("See [the map] here", "See [the map] here"),
        ("One[^1] two^12^ three^x^", "One two three^x^"),
        ("[words^1^](x)", "words"),
        ("# A *b* _c_ `d` > e", "A b c d e"),
        ("snake_case", "snakecase"),
        ("&lt;b&gt; &amp;amp; &eacute;", "<b> &amp; é"),
        (" a\t b\u00a0\n\n c ", "a b c"),
        ("&nbsp;a", "a"),
        ("", ""),
    ],
)
def test_normal_form_is_one_line_of_plain_text(text, form):
    assert normal_form(text) == form


def test_markdown_document():
    assert document_text(MARKDOWN.encode(), "markdown") == MARKDOWN_FORM


def test_line_ends_of_other_systems_make_no_difference():
    assert document_text(MARKDOWN.replace("\n", "\r\n").encode(), "markdown") == MARKDOWN_FORM


def test_transcript_is_the_text_of_its_content():
    assert document_text(TRANSCRIPT.encode(), "transcript-xml") == TRANSCRIPT_FORM


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("a<br>b<br />c</p>d</div>e", "a b c d e"),
        ("a<i>b</i>c<p>d", "abcd"),
        ("1 &lt; 2", "1 < 2"),
        ("", ""),
    ],
)
def test_tags_of_a_transcript_are_line_ends_or_nothing(content, form):
    document = f"<d><content><![CDATA[{content}]]></content></d>"
    assert document_text(document.encode(), "transcript-xml") == form


def test_transcript_without_content_is_empty():
    assert document_text(b"<document><title>x</title></document>", "transcript-xml") == ""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xfe", "markdown"),
        (b"no xml", "transcript-xml"),
        (b"", "transcript-xml"),
        (b'<!DOCTYPE d [<!ENTITY a "aaaa">]><d><content>&a;</content></d>', "transcript-xml"),
    ],
)
def test_file_that_is_no_text_of_its_kind_is_refused(data, kind):
    with pytest.raises(LabelError, match=f"not readable as {kind}"):
        document_text(data, kind)
