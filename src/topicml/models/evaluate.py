"""How good a finished model is on labelled sentences, or the recipe that a model is made by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.models.background import Choice
from topicml.models.folder import Model, check_scheme
from topicml.models.parameters import choose_start
from topicml.models.provenance import LabelFiles, Seen, find_seen
from topicml.models.steps import OnStep, counting
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset
from topicml.training.evaluation import (
    By,
    Predictions,
    count_evaluation_fits,
    cross_validated_predictions,
    model_predictions,
    with_diagnostics,
)
from topicml.training.features import Parameters
from topicml.training.metrics import Evaluation
from topicml.training.shown import Rows, Shown, evaluation_tables


@dataclass(frozen=True, slots=True, repr=False)
class ModelEvaluation(Shown):
    """How good a finished model is on labelled sentences.

    Attributes:
        predictions: What it says of each sentence, and the labels.
        evaluation: The figures.
    """

    predictions: Predictions
    evaluation: Evaluation

    @property
    def headline(self) -> str:
        """What the figures are of, and whether they say anything."""
        return self.predictions.protocol

    def tables(self) -> dict[str, Rows]:
        """Return ``figures`` and ``topics``."""
        return evaluation_tables(self.evaluation)


def predict_labelled(
    model: Model,
    labels: Path,
    taxonomy: Path,
    *,
    at_hand: Sequence[Path] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> Predictions:
    """Tag labelled sentences with a finished model as ``classify`` does.

    How many of them the model was trained on, as far as files tell, is said in the protocol.

    Args:
        model: From ``open_model``.
        labels: Label file.
        taxonomy: Taxonomy file of the model.
        at_hand: More label files that the model may have been trained on.
        on_note: Told of labels that are left out, for want of their texts, and of sentences that
            the model was trained on.

    Raises:
        TopicmlError: The labels cannot be read, or the taxonomy is another model's.
    """
    scheme = load_taxonomy(taxonomy)
    check_scheme(model, scheme, taxonomy)
    data = load_dataset([labels], scheme, on_note)
    seen = find_seen(model, data.texts, LabelFiles(tuple(dict.fromkeys([labels, *at_hand]))))
    protocol = f"{model.reference} on {labels.name}, tagged as `topicml classify` tags."
    if not seen.is_known or seen.any:
        on_note(f"warning: {seen.note(model.reference)}")
    return model_predictions(model.scorer, data, protocol + _said_of(seen))


def _said_of(seen: Seen) -> str:
    if seen.same.all():
        return " The model was trained on these very sentences: the figures say nothing."
    if not seen.any:
        return ""
    copies = f" and on near copies of {seen.near.sum():,} more" if seen.near.any() else ""
    return (
        f" The model was trained on {seen.same.sum():,} of these {len(seen.same):,} sentences"
        f"{copies}: the figures are optimistic."
    )


def predict_out_of_fold(
    store: ModelStore,
    name: str,
    labels: Sequence[Path],
    taxonomy: Path,
    *,
    parameters: Parameters | None = None,
    background: Choice = "own",
    by: By = "article",
    jobs: int = 1,
    diagnostics: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> Predictions:
    """Predict labelled sentences with the training recipe, none of them seen by it.

    Arguments are those of ``train_model``, and it starts with the same parameters.
    ``diagnostics`` adds what a report draws; see ``with_diagnostics``.
    ``on_note`` is told of labels that are left out, for want of their texts.
    """
    scheme = load_taxonomy(taxonomy)
    data = load_dataset(labels, scheme, on_note)
    start = choose_start(store, name, scheme, parameters, background)
    known = start.background
    total = count_evaluation_fits(data, by, start.parameters, known)
    predictions = cross_validated_predictions(
        *(data, by, start.parameters, known, jobs),
        parameters_from=start.said(labels),
        on_fit=counting("Evaluating", total, on_step),
    )
    if diagnostics and start.parameters is not None:
        return with_diagnostics(predictions, data, by, start.parameters, known)
    return predictions
