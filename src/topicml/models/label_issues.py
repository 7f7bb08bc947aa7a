"""Label files to a list of what is likely wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from topicml.errors import MissingExtraError, TrainingError
from topicml.labels.conflicts import KINDS, Issue, Kind, Located, located_labels, text_issues
from topicml.labels.store import read_label_files
from topicml.models.background import Choice
from topicml.models.parameters import choose_start
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.background import Background
from topicml.training.dataset import Dataset, dataset_of_files
from topicml.training.features import Parameters
from topicml.training.fit import check_support
from topicml.training.label_quality import (
    check_cleanlab,
    doubted_labels,
    out_of_fold_probabilities,
)


def find_label_issues(
    store: ModelStore,
    name: str,
    labels: Sequence[Path],
    taxonomy: Path,
    *,
    kinds: Collection[Kind] = tuple(KINDS),
    parameters: Parameters | None = None,
    background: Choice = "own",
    jobs: int = 1,
    on_note: Callable[[str], None] = lambda _: None,
) -> list[Issue]:
    """Return the issues of label files, the likeliest to be wrong first.

    Arguments are those of ``train_model``, for what its recipe says of the labels.

    Args:
        store: Has what a training starts from.
        name: Model name.
        labels: Label files.
        taxonomy: Taxonomy file.
        kinds: Which issues to look for.
        parameters: See ``train_model``.
        background: See ``train_model``.
        jobs: Processes.
        on_note: Told what is left out, and why.

    Raises:
        TopicmlError: A file cannot be read.
    """
    scheme = load_taxonomy(taxonomy)
    files = read_label_files(labels, scheme)
    data = dataset_of_files(files, scheme, on_note)
    known = located_labels(files)
    found = text_issues(known, scheme) if {*kinds} - {"doubted"} else []
    if "doubted" in kinds:
        try:
            check_cleanlab()
            check_support(data)
            start = choose_start(store, name, scheme, parameters, background)
            on_note(f"Asking the training recipe about {len(data):,} sentences.")
            found += doubted(known, data, start.parameters, start.background, jobs=jobs)
        except (MissingExtraError, TrainingError) as err:
            on_note(f"left out: labels that the recipe doubts: {err}")
    order = list(KINDS)
    wanted = (issue for issue in found if issue.kind in kinds)
    return sorted(wanted, key=lambda i: (-i.score, order.index(i.kind), i.label.record.id))


def doubted(
    known: Sequence[Located],
    data: Dataset,
    parameters: Parameters | None,
    background: Background | None,
    *,
    jobs: int = 1,
) -> Iterator[Issue]:
    """Yield the labels that the training recipe doubts.

    Args:
        known: n labels.
        data: The same as arrays.
        parameters: Fixed, or None to choose them.
        background: To start from.
        jobs: Processes.

    Raises:
        MissingExtraError: cleanlab is not installed.
        TrainingError: The labels cannot be trained on.
    """
    probabilities = out_of_fold_probabilities(data, parameters, background, jobs)
    for row, score in zip(*doubted_labels(data.Y, probabilities), strict=True):
        own = probabilities[row]
        suggested = sorted(t for t, p in zip(data.topics, own, strict=True) if p >= 0.5)
        named = {*suggested, *known[row].record.topics}
        values = {t: float(p) for t, p in zip(data.topics, own, strict=True) if t in named}
        yield Issue("doubted", known[row], tuple(suggested), float(score), values)
