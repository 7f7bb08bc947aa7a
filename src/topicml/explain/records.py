"""Explanations of whole articles: one for each sentence, in the record that ``classify`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from topicml.explain.explainer import Explainer
from topicml.explain.explanation import Explanation
from topicml.tagging.articles import TaggedArticle


class ExplainedArticle(NamedTuple):
    """A tagged article with an explanation of each of its n sentences."""

    article: TaggedArticle
    explanations: tuple[Explanation, ...]

    def to_dict(self, *, full: bool) -> dict[str, Any]:
        """Return the output record, with ``explanation`` in each sentence.

        Args:
            full: See ``Explanation.to_dict``.
        """
        record = self.article.to_dict()
        for sentence, explanation in zip(record["sentences"], self.explanations, strict=True):
            sentence["explanation"] = explanation.to_dict(full=full)
        return record


def explain_article(
    article: TaggedArticle,
    explainer: Explainer,
    topics: Sequence[str] | None = None,
    *,
    full: bool = True,
) -> ExplainedArticle:
    """Explain the sentences of an article.

    Args:
        article: Tagged by the explainer's model and thresholds.
        explainer: Explains.
        topics: Topics to explain; see ``Explainer.explain``.
        full: Also look for what is nearest and what would take a topic away, which takes long.
    """
    texts = (article.text[start:end] for start, end in article.spans)
    explained = (explainer.explain(text, topics, full=full) for text in texts)
    return ExplainedArticle(article, tuple(explained))
