"""A page is one file that loads nothing, runs only its own script, and escapes what is put in."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from lxml import html

from topicml.pages.render import render_page
from topicml.training.page import html_page, html_table

TEMPLATE = '{% extends "page.html" %}{% block body %}<p>{{ said }}</p>{% endblock %}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.html").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path


def policy_of(page: str) -> str:
    (found,) = html.fromstring(page).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    return str(found)


def source_of(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_the_policy_names_the_style_and_the_script_that_are_there(folder: Path) -> None:
    values = {"title": "T", "said": "x"}
    page = render_page("one.html", values, folder=folder, style="p>b{}", script='"a&b<c"')
    (style,), (script,) = (
        re.findall(rf"<{n}>(.*?)</{n}>", page, re.S) for n in ("style", "script")
    )
    assert style.endswith("p>b{}")
    assert script == '"a&b<c"'
    policy = policy_of(page)
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src {source_of(style)};" in policy
    assert f"script-src {source_of(script)};" in policy
    assert "unsafe" not in policy


def test_a_page_without_a_script_runs_none(folder: Path) -> None:
    page = render_page("one.html", {"title": "T", "said": "x"}, folder=folder)
    assert "script-src" not in policy_of(page)
    assert "<script" not in page


def test_what_is_put_in_is_text(folder: Path) -> None:
    hostile = "</title><script>alert(1)</script>&amp;'\""
    page = render_page("one.html", {"title": hostile, "said": hostile}, folder=folder)
    tree = html.fromstring(page)
    assert tree.findtext(".//title") == hostile
    assert tree.findtext(".//p") == hostile
    assert not tree.xpath("//script")


def test_what_a_template_names_must_be_given(folder: Path) -> None:
    with pytest.raises(UndefinedError, match="said"):
        render_page("one.html", {"title": "T"}, folder=folder)


def test_reports_have_the_same_look() -> None:
    page = html_page("Evaluation <1>", html_table(("a&b",), [("<c>",)]))
    tree = html.fromstring(page)
    assert tree.findtext(".//h1") == "Evaluation <1>"
    assert tree.findtext(".//td") == "<c>"
    assert "default-src 'none'" in policy_of(page)
    assert "prefers-color-scheme: dark" in page
