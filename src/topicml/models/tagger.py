"""A model version, or one and a second opinion, as a tagger."""

from __future__ import annotations

from topicml.errors import ModelError
from topicml.models.folder import Model
from topicml.tagging.second_opinion import SecondOpinion, margin_for
from topicml.tagging.tagger import Tagger, Unit
from topicml.tagging.thresholds import Thresholds, choose_thresholds

SHARE = 0.2
"""Of ordinary sentences that are read again where nothing else is said."""


def make_tagger(
    model: Model,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
    unit: Unit = "article",
    second: Model | None = None,
    share: float = SHARE,
) -> Tagger:
    """Return what tags documents with a model.

    Args:
        model: Reads everything.
        threshold: Probability from which on a topic is given, for all topics and whatever the
            relevance; None for the model's own.
        min_precision: Give fewer, surer tags: those of thresholds that reached this precision
            in cross-validation.
        relevance: Probability of having any topic under which none is given; None for the
            model's own.
        unit: ``sentence`` takes each text as one sentence, unsplit.
        second: Reads again what the model is unsure of.
        share: Of ordinary sentences that ``second`` reads, from 0 to 1.

    Raises:
        ModelError: A model has no thresholds for a precision as high as that; the two have
            different topics, or it is not known of the first what it is unsure of.
        ValueError: Both ``threshold`` and ``min_precision`` are given.
    """

    def of(asked: Model) -> Thresholds:
        return choose_thresholds(
            asked.scorer, threshold=threshold, min_precision=min_precision, relevance=relevance
        )

    opinion = None
    if second is not None:
        margin = _margin(model, second, share)
        opinion = SecondOpinion(second.scorer, second.reference, of(second), margin)
    return Tagger(model.scorer, model.reference, of(model), unit, opinion)


def _margin(model: Model, second: Model, share: float) -> float:
    if model.scorer.topics != second.scorer.topics:
        raise ModelError(
            f"{second.reference} has other topics than {model.reference}",
            where=second.path,
            hint="Ask a model of the same label scheme for a second opinion.",
        )
    if model.scorer.scheme.is_multiclass or second.scorer.scheme.is_multiclass:
        raise ModelError(
            "multiclass models take no second opinion and give none",
            where=second.path,
            hint="Tag without --second-opinion.",
        )
    known = model.manifest.get("margins")
    if known is None and 0 < share < 1:
        raise ModelError(
            f"it is not known which sentences {model.reference} is unsure of",
            where=model.path,
            hint="Train it again, take a newer version of it, or have everything read again "
            "with --second-opinion-share 1.",
        )
    return margin_for(share, known or ())
