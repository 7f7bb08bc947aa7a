"""Tagged articles as one HTML page that a person reads, sifts and prints."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from topicml.errors import OutputError
from topicml.models.folder import Model
from topicml.pages.render import environment, render_page
from topicml.report.article import ArticleView, figures_of, is_web_address, view_article
from topicml.report.palette import topic_style
from topicml.report.words import Words, words_behind
from topicml.scheme import is_language
from topicml.tagging.abstention import ARTICLE_REASONS, REASONS, SENTENCE_REASONS, Reason
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.thresholds import Thresholds
from topicml.text.normalise import printable

EPOCH = "SOURCE_DATE_EPOCH"
"""Environment variable with the seconds since 1970 that a page is dated by."""

_FOLDER = Path(__file__).parent
_SHADES = 4
_MOST_REJECTS = 200


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be tagged.

    Attributes:
        count: How many texts and inputs.
        lines: Of the first of them, what was wrong and where.
    """

    count: int = 0
    lines: Sequence[str] = ()


class TaggedReport:
    """The page of tagged articles; each is made ready as it comes, the page at the end.

    Args:
        model: That tagged them.
        thresholds: What sentences had to reach.
        words: Finds the words behind a tag; None to show none.

    Raises:
        OutputError: The time that it is to be dated by is none; see ``report_time``.
    """

    def __init__(self, model: Model, thresholds: Thresholds, words: Words | None = None) -> None:
        self._model = model
        self._thresholds = thresholds
        self._words = words
        self._made = report_time()
        self._rows: list[dict[str, Any]] = []
        self._articles: list[str] = []
        self._figures: list[dict[str, Any]] = []
        self._reasons: Counter[Reason | None] = Counter()
        self._macros = environment(_FOLDER).get_template("article.html").module

    def add(self, article: TaggedArticle) -> None:
        """Add an article behind those that are there."""
        view = view_article(article, len(self._rows))
        self._reasons.update(REASONS[code] for code in article.codes.tolist())
        self._articles.append(self._drawn(view))
        self._figures.append(figures_of(article, self._words))
        self._rows.append(
            {
                "id": view.id,
                "name": view.name,
                "counts": view.counts,
                "sentences": view.sentences,
                "tagged": view.tagged,
                "is_unfamiliar": view.is_unfamiliar,
            }
        )

    def render(self, rejected: Rejected = Rejected()) -> str:
        """Return the page.

        Args:
            rejected: What could not be tagged.
        """
        topics = self._model.scorer.topics
        made = self._made
        heading = f"Topics of {len(self._rows):,} {_plural(len(self._rows), 'article')}"
        counts = np.array([row["counts"] for row in self._rows]).reshape(-1, len(topics))
        values: dict[str, Any] = {
            "title": self._rows[0]["name"] if len(self._rows) == 1 else heading,
            "heading": heading,
            "made": made,
            "made_text": f"{made:%d %B %Y, %H:%M} UTC".lstrip("0"),
            "model": self._model.reference,
            "topics": topics,
            "limits": _limits(self._model.manifest),
            "thresholds": self._said_thresholds(),
            "rows": self._rows,
            "highest": int(counts.max(initial=1)),
            "shades": _SHADES,
            "sentence_counts": counts.sum(0).tolist(),
            "article_counts": (counts > 0).sum(0).tolist(),
            "sentences": sum(row["sentences"] for row in self._rows),
            "tagged": sum(row["tagged"] for row in self._rows),
            "unfamiliar": sum(row["is_unfamiliar"] for row in self._rows),
            "rejected": rejected,
            "rejects": [printable(line) for line in rejected.lines[:_MOST_REJECTS]],
            "reasons": [
                (reason, text, self._reasons[reason])
                for reason, text in SENTENCE_REASONS.items()
                if self._reasons[reason]
            ],
            "articles": self._articles,
            "data": {
                "topics": topics,
                "thresholds": np.minimum(self._thresholds.topics, 2).round(3).tolist(),
                "relevance": None if self._scheme_is_multiclass() else self._thresholds.relevance,
                "reasons": SENTENCE_REASONS,
                "articles": self._figures,
            },
        }
        style = (_FOLDER / "tagged.css").read_text("utf-8") + topic_style(len(topics))
        script = (_FOLDER / "tagged.js").read_text("utf-8")
        return render_page("tagged.html", values, folder=_FOLDER, style=style, script=script)

    def _drawn(self, view: ArticleView) -> str:
        language = view.fields.get("language", "")
        own = self._model.scorer.scheme.language
        macro: Any = self._macros.article  # type: ignore[attr-defined]
        drawn: str = macro(
            view,
            topics=self._model.scorer.topics,
            reasons=SENTENCE_REASONS,
            said=ARTICLE_REASONS,
            language=language if is_language(language) else own,
            link=view.url if view.url and is_web_address(view.url) else None,
        )
        return drawn

    def _scheme_is_multiclass(self) -> bool:
        return self._model.scorer.scheme.is_multiclass

    def _said_thresholds(self) -> dict[str, Any]:
        found = self._thresholds.topics
        by_topic = zip(self._model.scorer.topics, found.tolist(), strict=True)
        return {
            "one": f"{found[0]:.2f}" if np.ptp(found) == 0 and found[0] <= 1 else None,
            "by_topic": [(t, f"{x:.2f}" if x <= 1 else "never given") for t, x in by_topic],
            "relevance": f"{self._thresholds.relevance:.2f}"
            if self._thresholds.relevance
            else None,
        }


def page_drawer(model: Model, thresholds: Thresholds) -> Callable[[TaggedArticle], str]:
    """Return what makes the page of a single article.

    Args:
        model: That tags them.
        thresholds: What sentences have to reach.

    Raises:
        OutputError: See ``TaggedReport``.
    """
    words = words_behind(model)
    report_time()  # what is wrong with it is said before the first article

    def draw(article: TaggedArticle) -> str:
        report = TaggedReport(model, thresholds, words)
        report.add(article)
        return report.render()

    return draw


def report_time() -> datetime:
    """Return when a page is made: now, or what ``EPOCH`` says, so that it can be made again.

    Raises:
        OutputError: That is no number of seconds.
    """
    given = os.environ.get(EPOCH)
    if not given:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError) as err:
        raise OutputError(
            f"{given!r} is no time", where=EPOCH, hint="Give whole seconds since 1970, or unset it."
        ) from err


def _limits(manifest: Mapping[str, Any]) -> str:
    """Return what a reader must know of the model, from its manifest."""
    language = manifest["scheme"]["language"]
    which = "English sentences" if language == "en" else f"sentences (language: {language})"
    said = f"The model judges {which} standing alone, and some of its tags are wrong"
    figures = manifest["metrics"]["evaluation"]
    precision, recall = figures.get("micro_precision"), figures.get("micro_recall")
    if precision is not None and recall is not None:
        said += (
            f": by its own thresholds, of the tags that it gave to labelled sentences which it had"
            f" not seen {precision:.0%} were right, and it found {recall:.0%} of the topics there"
        )
    return f"{said}. Read what matters yourself."


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
