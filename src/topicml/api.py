"""The two calls that most programs need: load a model, tag a text."""

from __future__ import annotations

from pathlib import Path

from topicml.models.folder import Model, open_model
from topicml.models.store import default_store
from topicml.tagging.articles import TaggedArticle, classify_document, thresholds_for_precision
from topicml.text.document import Document


def load_model(reference: str | Path | None = None) -> Model:
    """Open a model for scoring.

    Args:
        reference: ``name``, ``name@version`` or a folder; the default model for None.

    Raises:
        ModelError: No such model, or it is damaged.
    """
    if isinstance(reference, Path):
        return open_model(reference)
    return open_model(default_store().find(reference))


def classify_text(text: str, model: Model, *, min_precision: float | None = None) -> TaggedArticle:
    """Tag one article.

    Args:
        text: The article.
        model: From ``load_model``.
        min_precision: Give fewer, surer tags; see ``thresholds_for_precision``.
    """
    scorer = model.scorer
    thresholds = None if min_precision is None else thresholds_for_precision(scorer, min_precision)
    return classify_document(Document("text", text), scorer, model.reference, thresholds=thresholds)
