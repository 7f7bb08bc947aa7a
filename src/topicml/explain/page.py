"""Explanations as one self-contained HTML page, or as a piece of another one.

Jinja fills the templates and escapes what comes from texts and models.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from topicml.explain import wording
from topicml.explain.explanation import Explanation
from topicml.explain.records import ExplainedArticle
from topicml.tagging.abstention import SENTENCE_REASONS

_FEWEST = 0.05  # of the strongest word's contribution; what adds less is not highlighted


def explanation_page(articles: Sequence[ExplainedArticle]) -> str:
    """Return a page with the explanations of all sentences; it loads nothing."""
    return _environment().get_template("page.html").render(articles=articles)


def explanation_fragment(explanation: Explanation) -> str:
    """Return the explanation of one sentence as HTML for another page.

    What it looks like is in the template ``style.css``; without it, it can be read, too.
    """
    return _environment().get_template("explanation.html").render(explanation=explanation)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("topicml.explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "verdict": wording.verdict,
        "sum_of": wording.sum_of,
        "what_is_checked": wording.what_is_checked,
        "without": wording.without,
        "reasons": SENTENCE_REASONS,
        "fewest": _FEWEST,
    }
    return environment
