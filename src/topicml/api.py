"""The two calls that most programs need: load a model, tag a text."""

from __future__ import annotations

from pathlib import Path

from topicml.classify import TaggedArticle, classify_document
from topicml.documents import Document
from topicml.models.folder import Model, open_model
from topicml.models.store import default_store


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


def classify_text(text: str, model: Model, *, threshold: float | None = None) -> TaggedArticle:
    """Tag one article.

    Args:
        text: The article.
        model: From ``load_model``.
        threshold: Probability from which on a topic is given, in place of the model's own.
    """
    return classify_document(
        Document("text", text), model.scorer, model.reference, threshold=threshold
    )
