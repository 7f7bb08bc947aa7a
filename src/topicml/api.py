"""The calls that most programs need: load a model, tag texts, explain; train, evaluate, compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.store import ModelStore, default_store
from topicml.models.tagger import SHARE, make_tagger
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Unit
from topicml.tagging.thresholds import choose_thresholds
from topicml.text.document import Document

if TYPE_CHECKING:  # what these bring along takes seconds to import
    from topicml.explain.explanation import Explanation
    from topicml.models.background import Choice
    from topicml.models.compare import Comparison
    from topicml.models.evaluate import ModelEvaluation
    from topicml.models.train import TrainedVersion
    from topicml.training.evaluation import By

AnyPath = str | Path


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


def explain_sentence(
    model: Model,
    text: str,
    topics: Sequence[str] | None = None,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
    labels: AnyPath | Sequence[AnyPath] = (),
) -> Explanation:
    """Say why a sentence has the topics it has, or none; as ``topicml explain`` does.

    For many sentences, make an ``Explainer`` of ``topicml.explain.explainer`` once.

    Args:
        model: From ``load_model``; a linear one.
        text: One sentence; it is not split.
        topics: Topics to explain; None for those given, or the nearest one where none is.
        threshold: See ``classify_texts``.
        min_precision: See ``classify_texts``.
        relevance: See ``classify_texts``.
        labels: Label files to look for the nearest sentences in.

    Returns:
        For each topic what every word and n-gram adds; with the intercept that is the log-odds.

    Raises:
        ModelError: The model is a network, has no such topic, or has no thresholds for a precision
            as high as that.
        LabelError: A label file cannot be read.
        ValueError: Both ``threshold`` and ``min_precision`` are given.
    """
    from topicml.explain.explainer import Explainer
    from topicml.explain.nearest import load_labelled

    thresholds = choose_thresholds(
        model.scorer, threshold=threshold, min_precision=min_precision, relevance=relevance
    )
    paths = _paths(labels)
    labelled = load_labelled(model, paths) if paths else None
    return Explainer(model, thresholds, labelled).explain(text, topics)


def train(
    labels: AnyPath | Sequence[AnyPath],
    taxonomy: AnyPath,
    models_dir: AnyPath,
    *,
    name: str | None = None,
    version: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    background: AnyPath | None = "own",
    by: By = "article",
    jobs: int = 1,
    on_note: Callable[[str], None] = lambda _: None,
) -> TrainedVersion:
    """Train a model version from label files, as ``topicml train`` does.

    What is in memory and not in files, ``TopicTagger`` is fitted to.

    Args:
        labels: One label file or several.
        taxonomy: Taxonomy file.
        models_dir: Folder of models that the version goes to; made where it is not there.
        name: Name of the model; the taxonomy's for None.
        version: To make; the next minor one for None.
        parameters: As in ``parameters.json``, absent ones at their default; for None those that
            were tuned for the model, or the defaults.
        background: Folder of the background model to start from; ``own`` for the model's, where
            it has one; None to start from nothing.
        by: What a fold of the evaluation leaves out.
        jobs: Processes.
        on_note: Told what is done, such as ``print``.

    Returns:
        The version and how good its recipe is. ``load_model`` opens its ``path``.

    Raises:
        TopicmlError: The labels cannot be read or trained on, the name or version is not usable,
            or the model of that name has other topics. Nothing is written then.
        ValueError: There is no such parameter, or it has no such value.
    """
    from topicml.models.train import train_model
    from topicml.taxonomy import load_taxonomy
    from topicml.training.features import Parameters

    return train_model(
        ModelStore(Path(models_dir)),
        name or load_taxonomy(Path(taxonomy)).name,
        _paths(labels),
        Path(taxonomy),
        version=version,
        parameters=None if parameters is None else Parameters.from_dict(dict(parameters)),
        background=_background(background),
        by=by,
        jobs=jobs,
        on_note=on_note,
    )


def evaluate(
    model: Model,
    labels: AnyPath,
    taxonomy: AnyPath,
    *,
    at_hand: AnyPath | Sequence[AnyPath] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> ModelEvaluation:
    """Say how good a model is on labelled sentences, as ``topicml evaluate --data`` does.

    Of sentences that the model was trained on, figures say nothing: the result tells how many
    there are, as far as label files at hand tell.

    Args:
        model: From ``load_model``.
        labels: Label file.
        taxonomy: Taxonomy file of the model.
        at_hand: More label files that the model may have been trained on.
        on_note: Told of labels that are left out, for want of their texts, and of sentences that
            the model was trained on.

    Raises:
        TopicmlError: The labels cannot be read, or the taxonomy is another model's.
    """
    from topicml.models.evaluate import ModelEvaluation, predict_labelled

    predictions = predict_labelled(
        model, Path(labels), Path(taxonomy), at_hand=_paths(at_hand), on_note=on_note
    )
    return ModelEvaluation(predictions, predictions.evaluate())


def compare(
    old: Model,
    new: Model,
    labels: AnyPath | Sequence[AnyPath],
    taxonomy: AnyPath,
    *,
    at_hand: AnyPath | Sequence[AnyPath] = (),
    unseen: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compare two models on the same labelled sentences.

    The verdict is by the gate of the new model's name, ``gate.toml`` beside its versions. Nothing
    is noted for ``topicml models promote``: the command ``topicml compare`` does that.

    Args:
        old: From ``load_model``; the one to be replaced.
        new: From ``load_model``; of the same topics.
        labels: One label file or several to judge by.
        taxonomy: Taxonomy file of the models.
        at_hand: More label files that models may have been trained on, such as an earlier state.
        unseen: Leave out sentences that one of the models was trained on, near copies included.
        on_note: Told of labels that are left out, for want of their texts.

    Raises:
        TopicmlError: The labels cannot be read, a model has other topics than the taxonomy, or
            no sentence is left.
    """
    from topicml.models.compare import compare_models
    from topicml.models.gate import gate_of

    store = ModelStore(new.path.resolve().parents[1])
    return compare_models(
        old,
        new,
        _paths(labels),
        Path(taxonomy),
        at_hand=_paths(at_hand),
        gate=gate_of(store, new.manifest["name"], None),
        unseen=unseen,
        on_note=on_note,
    )


def _background(given: AnyPath | None) -> Choice:
    return "own" if given == "own" else None if given is None else Path(given)


def _paths(given: AnyPath | Sequence[AnyPath]) -> list[Path]:
    return [Path(path) for path in ([given] if isinstance(given, str | Path) else given)]
