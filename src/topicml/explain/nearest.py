"""The labelled sentences that are most like a sentence in what speaks for a topic.

Two sentences are alike by what the n-grams that both have add to the topic: the sum, over these,
of the weight in the one, the coefficient, and the weight in the other. As weights are of length
one, that is in log-odds, and a long sentence is not nearer than a short one. What two sentences
share and the topic does not ask for counts nothing. (docs/decisions/explanations.md has figures.)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topicml.explain.contributions import BlockTerms
from topicml.explain.explanation import Neighbour
from topicml.labels.records import LabelRecord
from topicml.labels.store import LabelFile, read_label_file
from topicml.labels.texts import texts_path
from topicml.models.folder import Model
from topicml.scoring.features import Floats, Integers
from topicml.scoring.reference import ReferenceScorer
from topicml.scoring.scorer import Scorer
from topicml.text.normalise import as_scored

SHOWN = 3
"""Sentences that are shown for a topic."""


class LabelledSentences:
    """Labelled sentences as a model sees them; may be used by many threads at once.

    Args:
        scorer: Of the model.
        records: Labelled sentences; skipped ones are left out, and each text is taken once.
        missing: How many more there are whose texts are not here.
    """

    def __init__(self, scorer: Scorer, records: Sequence[LabelRecord], missing: int = 0) -> None:
        first: dict[str, LabelRecord] = {}
        for record in sorted(records, key=lambda record: record.id):
            if record.status != "skipped":
                first.setdefault(record.text, record)
        self._records = [*first.values()]
        self.missing = missing
        ordered = sorted(scorer.blocks, key=lambda block: block.analyzer != "word")
        texts = [as_scored(record.text) for record in self._records]
        found = ReferenceScorer(ordered).tfidf(texts) if texts else []
        self._postings = {
            block.analyzer: _Postings(len(block.vocabulary), *tfidf)
            for block, tfidf in zip(ordered, found, strict=False)
        }

    def __len__(self) -> int:
        return len(self._records)

    def nearest(self, blocks: Sequence[BlockTerms], column: int) -> tuple[Neighbour, ...]:
        """Return the sentences nearest to one, the most alike first; of equal ones by id.

        Args:
            blocks: The n-grams of the sentence.
            column: Of the topic.
        """
        similar = np.zeros(len(self._records))
        for found in blocks if self._records else ():
            added = found.tfidf * found.block.coefficients[found.terms, column]
            self._postings[found.block.analyzer].add(found.terms, added, similar)
        order = np.argsort(-similar, kind="stable")[:SHOWN]
        return tuple(
            Neighbour(record.id, record.text, record.topics, similar.item(row))
            for row in order.tolist()
            if similar[row] > 0
            for record in [self._records[row]]
        )


class _Postings:
    """The sentences that each term of a block is in, with its TF-IDF there."""

    def __init__(self, size: int, rows: Integers, terms: Integers, tfidf: Floats) -> None:
        order = np.argsort(terms, kind="stable")
        self._rows, self._tfidf = rows[order], tfidf[order]
        self._starts = np.searchsorted(terms[order], np.arange(size + 1))

    def add(self, terms: NDArray[np.intp], weights: Floats, sums: Floats) -> None:
        """Add for each sentence its TF-IDF of some terms, times a weight each."""
        for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
            place = slice(self._starts[term], self._starts[term + 1])
            sums[self._rows[place]] += weight * self._tfidf[place]


_loading = threading.Lock()
_loaded: list[tuple[object, LabelledSentences]] = []


def load_labelled(model: Model, paths: Sequence[Path]) -> LabelledSentences:
    """Read label files for a model; those read last are kept for as long as the process lasts.

    Labels of another scheme, which have topics that the model has not, are left out with all of
    their file. Labels by reference are taken where their texts are here.

    Raises:
        LabelError: A file cannot be read.
    """
    key = (model.path, model.reference, tuple(map(_state, paths)))
    with _loading:
        if not (_loaded and _loaded[0][0] == key):
            _loaded[:] = [(key, _read(model, paths))]
        return _loaded[0][1]


def _read(model: Model, paths: Sequence[Path]) -> LabelledSentences:
    topics = {*model.scorer.topics}
    files = [read_label_file(path) for path in paths]
    own = [file for file in files if _topics_of(file) <= topics]
    records = [record for file in own for record in file.records]
    if not any(record.topics for record in records):
        return LabelledSentences(model.scorer, [])
    return LabelledSentences(model.scorer, records, sum(len(file.without_text) for file in own))


def _topics_of(file: LabelFile) -> set[str]:
    with_text = (topic for record in file.records for topic in record.topics)
    return {*with_text, *(topic for label in file.without_text for topic in label.topics)}


def _state(path: Path) -> tuple[Path, tuple[int, ...], tuple[int, ...]]:
    return path.resolve(), _stamp(path), _stamp(texts_path(path))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size
