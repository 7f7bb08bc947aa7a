"""The calls that most programs need: load a model, tag a text or many."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.store import default_store
from topicml.models.tagger import SHARE, make_tagger
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Unit
from topicml.text.document import Document


def load_model(reference: str | Path | None = None) -> Model:
    """Open a model for scoring; one that is new on this machine is proven first.

    Args:
        reference: ``name``, ``name@version`` or a folder; the default model for None.

    Raises:
        ModelError: No such model, it is damaged, or this machine computes other probabilities.
    """
    path = reference if isinstance(reference, Path) else default_store().find(reference)
    return open_for_use(path)


def classify_text(
    text: str,
    model: Model,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
    unit: Unit = "article",
    second_opinion: Model | None = None,
    second_opinion_share: float = SHARE,
) -> TaggedArticle:
    """Tag one article; see ``classify_texts``."""
    (article,) = classify_texts(
        [text],
        model,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
        second_opinion=second_opinion,
        second_opinion_share=second_opinion_share,
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
    second_opinion: Model | None = None,
    second_opinion_share: float = SHARE,
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
        second_opinion: A better and slower model that reads again what the first is unsure of.
        second_opinion_share: Of ordinary sentences that it reads, from 0 to 1.

    Returns:
        n articles, in order.

    Raises:
        ModelError: A model has no thresholds for a precision as high as that, or the second
            opinion does not go with the model.
        ValueError: Both ``threshold`` and ``min_precision`` are given.
    """
    tagger = make_tagger(
        model,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
        second=second_opinion,
        share=second_opinion_share,
    )
    return tagger.tag([Document(str(number), text) for number, text in enumerate(texts)])
