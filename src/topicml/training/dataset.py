"""Labelled sentences as the arrays that training and evaluation work on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from topicml.errors import LabelError, TrainingError
from topicml.labels.records import LabelRecord
from topicml.labels.store import read_label_files
from topicml.taxonomy import Taxonomy

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """n labelled sentences over T topics.

    Attributes:
        topics: T topic ids, in column order.
        texts: n sentences.
        Y: n by T indicator matrix of 0 and 1.
        groups: n group names; a group is never split.
        articles: n flags, true where the sentence comes from a real article.
    """

    topics: tuple[str, ...]
    texts: tuple[str, ...]
    Y: NDArray[np.int8]
    groups: NDArray[np.str_]
    articles: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.texts)

    def subset(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Dataset:
        """Return the sentences of the given rows, in that order."""
        picked = np.arange(len(self))[rows]
        return Dataset(
            self.topics,
            tuple(self.texts[i] for i in picked),
            self.Y[picked],
            self.groups[picked],
            self.articles[picked],
        )

    def article_splits(self) -> Iterator[Split]:
        """Yield (train, test) rows with one real article left out at a time."""
        for article in sorted(set(self.groups[self.articles].tolist())):
            held_out = self.groups == article
            yield np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def grouped_splits(self, folds: int = 5) -> list[Split]:
        """Return (train, test) rows of a grouped k-fold, or leave-one-group-out where few.

        Raises:
            TrainingError: All sentences belong to one group.
        """
        count = len(set(self.groups.tolist()))
        if count < 2:
            raise TrainingError(
                f"all {len(self)} sentences belong to one article",
                hint="Cross-validation leaves whole articles out: label at least two.",
            )
        splitter = LeaveOneGroupOut() if count <= folds else GroupKFold(n_splits=folds)
        return list(splitter.split(np.zeros(len(self)), groups=self.groups))


def join(first: Dataset, second: Dataset) -> Dataset:
    """Return the sentences of two datasets with the same topics, one after the other."""
    return Dataset(
        first.topics,
        first.texts + second.texts,
        np.vstack([first.Y, second.Y]),
        np.concatenate([first.groups, second.groups]),
        np.concatenate([first.articles, second.articles]),
    )


def make_dataset(records: Sequence[LabelRecord], taxonomy: Taxonomy) -> Dataset:
    """Turn checked label records into arrays, leaving skipped sentences out."""
    used = [record for record in records if record.status != "skipped"]
    columns = {topic: column for column, topic in enumerate(taxonomy.topic_ids)}
    Y = np.zeros((len(used), len(columns)), dtype=np.int8)
    for row, record in enumerate(used):
        Y[row, [columns[topic] for topic in record.topics]] = 1
    return Dataset(
        topics=taxonomy.topic_ids,
        texts=tuple(record.text for record in used),
        Y=Y,
        groups=np.array([record.article for record in used], dtype=np.str_),
        articles=np.array([record.source == "article" for record in used], dtype=np.bool_),
    )


def load_dataset(paths: Sequence[Path], taxonomy: Taxonomy) -> Dataset:
    """Read label files into one dataset.

    Raises:
        LabelError: No file, a broken record, an unknown topic, a duplicate id, or no label.
    """
    records = read_label_files(paths, taxonomy)
    if all(record.status == "skipped" for record in records):
        raise LabelError(
            "no labelled sentences", where=", ".join(map(str, paths)), hint="Label some."
        )
    return make_dataset(records, taxonomy)
