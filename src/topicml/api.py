"""The calls that most programs need: load a model, tag a text or many."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from topicml.models.folder import Model, open_model
from topicml.models.store import default_store
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger, Unit
from topicml.tagging.thresholds import choose_thresholds
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


def classify_text(
    text: str,
    model: Model,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
    unit: Unit = "article",
) -> TaggedArticle:
    """Tag one article; see ``classify_texts``."""
    (article,) = classify_texts(
        [text],
        model,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
    )
    return article


def classify_texts(
    texts: Iterable[str],
    model: Model,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
    unit: Unit = "article",
) -> list[TaggedArticle]:
    """Tag n articles in one pass, which is faster than one after another.

    Args:
        texts: n articles. Their ids are their numbers, from 0.
        model: From ``load_model``.
        threshold: Probability from which on a topic is given, for all topics and whatever the
            relevance; None for the model's own.
        min_precision: Give fewer, surer tags: those of thresholds that reached this precision
            in cross-validation.
        relevance: Probability of having any topic under which none is given; None for the
            model's own.
        unit: ``sentence`` takes each text as one sentence, unsplit.

    Returns:
        n articles, in order.

    Raises:
        ModelError: The model has no thresholds for a precision as high as that.
        ValueError: Both ``threshold`` and ``min_precision`` are given.
    """
    thresholds = choose_thresholds(
        model.scorer, threshold=threshold, min_precision=min_precision, relevance=relevance
    )
    tagger = Tagger(model.scorer, model.reference, thresholds, unit)
    return tagger.tag([Document(str(number), text) for number, text in enumerate(texts)])
