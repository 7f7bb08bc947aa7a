"""Labelled sentences as the arrays that training and evaluation work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from topicml.errors import LabelError, TrainingError
from topicml.labels.records import LabelRecord
from topicml.labels.store import LabelFile, count_references, read_label_files
from topicml.scheme import DEFAULT_SCHEME, Scheme
from topicml.taxonomy import Taxonomy
from topicml.training.copies import find_copies, join_copied_groups

Split = tuple[NDArray[np.intp], NDArray[np.intp]]

FOLDS = 5
DRAWN = "random"
"""What labels say of a sentence that was drawn at random (``chosen``)."""

MANY_DOCUMENTS = 10
"""Real documents above which they are left out a fifth at a time, not one by one."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """n labelled sentences over T topics.

    Attributes:
        topics: T topic ids, in column order.
        texts: n sentences.
        Y: n by T indicator matrix of 0 and 1.
        groups: n group names; a group is never split.
        sources: n sources: ``article``, ``archive`` or ``authored``.
        drawn: n, True where a sentence was drawn at random, and shows how common topics are.
        copies: n numbers, equal for copies and near copies; see ``copies.find_copies``.
        scheme: How they are labelled.
    """

    topics: tuple[str, ...]
    texts: tuple[str, ...]
    Y: NDArray[np.int8]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]
    drawn: NDArray[np.bool_]
    copies: NDArray[np.intp]
    scheme: Scheme = DEFAULT_SCHEME

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def articles(self) -> NDArray[np.bool_]:
        """True for each of the n sentences that is real text: of an article or an archive."""
        return np.asarray(self.sources != "authored", dtype=np.bool_)

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Words of each of the n sentences."""
        return np.array([len(text.split()) for text in self.texts], dtype=np.intp)

    @property
    def has_many_documents(self) -> bool:
        """Whether there are too many real documents to leave them out one at a time."""
        return len(set(self.groups[self.articles].tolist())) > MANY_DOCUMENTS

    def subset(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Dataset:
        """Return the sentences of the given rows, in that order."""
        picked = np.arange(len(self))[rows]
        return Dataset(
            self.topics,
            tuple(self.texts[i] for i in picked),
            self.Y[picked],
            self.groups[picked],
            self.sources[picked],
            self.drawn[picked],
            self.copies[picked],
            self.scheme,
        )

    def without_copies(self, splits: Iterable[Split]) -> list[Split]:
        """Leave out of each training side the copies of what its test side has."""
        return [
            (train[~np.isin(self.copies[train], self.copies[test])], test) for train, test in splits
        ]

    def article_splits(self) -> list[Split]:
        """Return (train, test) rows with whole real documents left out.

        One document at a time, or a fifth of them where there are many. Authored sentences
        are in every training side, but for copies of what is left out.
        """
        left_out = [np.isin(self.groups, documents) for documents in self._documents_by_fold()]
        return self.without_copies((np.flatnonzero(~out), np.flatnonzero(out)) for out in left_out)

    def _documents_by_fold(self) -> list[list[str]]:
        groups = self.groups[self.articles]
        if not self.has_many_documents:
            return [[document] for document in sorted(set(groups.tolist()))]
        folds = GroupKFold(n_splits=FOLDS).split(np.zeros(len(groups)), groups=groups)
        return [sorted(set(groups[test].tolist())) for _, test in folds]

    def grouped_splits(self, folds: int = FOLDS) -> list[Split]:
        """Return (train, test) rows of a grouped k-fold, or leave-one-group-out where few.

        No training side has a copy of what its test side has.

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
        return self.without_copies(splitter.split(np.zeros(len(self)), groups=self.groups))


def make_dataset(records: Sequence[LabelRecord], taxonomy: Taxonomy) -> Dataset:
    """Turn checked label records into arrays, leaving skipped sentences out.

    Groups that are copies of one another become one.
    """
    used = [record for record in records if record.status != "skipped"]
    columns = {topic: column for column, topic in enumerate(taxonomy.topic_ids)}
    Y = np.zeros((len(used), len(columns)), dtype=np.int8)
    for row, record in enumerate(used):
        Y[row, [columns[topic] for topic in record.topics]] = 1
    return dataset_of(
        taxonomy.topic_ids,
        [record.text for record in used],
        Y,
        groups=np.array([record.article for record in used], dtype=np.str_),
        sources=np.array([record.source for record in used], dtype=np.str_),
        drawn=np.array([record.chosen == DRAWN for record in used], dtype=np.bool_),
        scheme=taxonomy.scheme,
    )


def dataset_of(
    topics: Sequence[str],
    texts: Sequence[str],
    Y: NDArray[np.int8],
    *,
    groups: NDArray[np.str_],
    sources: NDArray[np.str_],
    drawn: NDArray[np.bool_],
    scheme: Scheme = DEFAULT_SCHEME,
) -> Dataset:
    """Return sentences as a dataset that knows its copies; for arguments see ``Dataset``."""
    copies = find_copies(texts)
    joined = join_copied_groups(groups, copies)
    return Dataset(tuple(topics), tuple(texts), Y, joined, sources, drawn, copies, scheme)


def load_dataset(
    paths: Sequence[Path], taxonomy: Taxonomy, on_note: Callable[[str], None] = lambda _: None
) -> Dataset:
    """Read label files into one dataset.

    Args:
        paths: Label files.
        taxonomy: Gives the topics.
        on_note: Told of labels by reference whose texts are not here; they are left out.

    Raises:
        LabelError: No file, a broken record, an unknown topic, a duplicate id, or no label.
    """
    return dataset_of_files(read_label_files(paths, taxonomy), taxonomy, on_note)


def dataset_of_files(
    files: Sequence[LabelFile], taxonomy: Taxonomy, on_note: Callable[[str], None] = lambda _: None
) -> Dataset:
    """Turn label files that were read into one dataset; see ``load_dataset``."""
    records = [record for file in files for record in file.records]
    note = count_references(files).note()
    if all(record.status == "skipped" for record in records):
        raise LabelError(
            "no labelled sentences",
            where=", ".join(str(file.path) for file in files),
            hint=f"There are {note}." if note else "Label some.",
        )
    if note:
        on_note(note)
    data = make_dataset(records, taxonomy)
    used = {record.article for record in records if record.status != "skipped"}
    copied = len(used) - len(set(data.groups.tolist()))
    if copied:
        on_note(f"{copied} of {len(used)} articles are copies of others and count as one with them")
    return data
