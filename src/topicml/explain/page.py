"""Explanations as one self-contained HTML page, or as a piece of another one.

Jinja fills the templates and escapes what comes from texts and models.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topicml.explain import wording
from topicml.explain.explanation import Explanation
from topicml.explain.records import ExplainedArticle
from topicml.pages.render import environment, render_page
from topicml.tagging.abstention import SENTENCE_REASONS

_FOLDER = Path(__file__).parent / "templates"
_WORDING: dict[str, Any] = {
    "verdict": wording.verdict,
    "sum_of": wording.sum_of,
    "what_is_checked": wording.what_is_checked,
    "without": wording.without,
    "reasons": SENTENCE_REASONS,
    "fewest": 0.05,  # of the strongest word's contribution; what adds less is not marked
}


def explanation_page(articles: Sequence[ExplainedArticle]) -> str:
    """Return a page with the explanations of all sentences; it loads nothing."""
    values = {"title": "Why these topics", "articles": articles, **_WORDING}
    style = (_FOLDER / "explained.css").read_text("utf-8")
    return render_page("explained.html", values, folder=_FOLDER, style=style)


def explanation_fragment(explanation: Explanation) -> str:
    """Return the explanation of one sentence as HTML for another page.

    What it looks like is in ``pages/look.css`` and in the template ``explained.css``; without
    them, it can be read, too.
    """
    template = environment(_FOLDER).get_template("explanation.html")
    return template.render(explanation=explanation, **_WORDING)
