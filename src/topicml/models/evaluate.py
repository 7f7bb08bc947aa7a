"""How good a finished model is on labelled sentences, or the recipe that a model is made by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from topicml.models.background import Choice
from topicml.models.folder import Model, check_scheme, sha256_file
from topicml.models.parameters import choose_start
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset
from topicml.training.evaluation import (
    By,
    Predictions,
    cross_validated_predictions,
    model_predictions,
    with_diagnostics,
)
from topicml.training.features import Parameters


def predict_labelled(
    model: Model, labels: Path, taxonomy: Path, on_note: Callable[[str], None] = lambda _: None
) -> Predictions:
    """Tag labelled sentences with a finished model as ``classify`` does.

    Args:
        model: From ``open_model``.
        labels: Label file.
        taxonomy: Taxonomy file of the model.
        on_note: Told of labels that are left out, for want of their texts.

    Raises:
        TopicmlError: The labels cannot be read, or the taxonomy is another model's.
    """
    scheme = load_taxonomy(taxonomy)
    check_scheme(model, scheme, taxonomy)
    data = load_dataset([labels], scheme, on_note)
    protocol = f"{model.reference} on {labels.name}, tagged as `topicml classify` tags."
    if was_trained_on(model, labels):
        protocol += " The model was trained on these very sentences: the figures say nothing."
    return model_predictions(model.scorer, data, protocol)


def was_trained_on(model: Model, labels: Path) -> bool:
    """Whether a label file is, byte for byte, one that the model was trained on.

    One of labels by reference is not, where no text of it was there.
    """
    stated = model.manifest["labels"]
    references = stated.get("by_reference", {})
    unused = {name for name, count in references.items() if not count["with_text"]}
    digest = sha256_file(labels)
    return any(d == digest and name not in unused for name, d in stated["files"].items())


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
) -> Predictions:
    """Predict labelled sentences with the training recipe, none of them seen by it.

    Arguments are those of ``train_model``; where it would search parameters, each fold does.
    ``diagnostics`` adds what a report draws, where parameters are fixed; see ``with_diagnostics``.
    ``on_note`` is told of labels that are left out, for want of their texts.
    """
    scheme = load_taxonomy(taxonomy)
    data = load_dataset(labels, scheme, on_note)
    parameters, start = choose_start(store, name, scheme, parameters, background)
    predictions = cross_validated_predictions(data, by, parameters, start, jobs)
    if diagnostics and parameters is not None:
        return with_diagnostics(predictions, data, by, parameters, start)
    return predictions
