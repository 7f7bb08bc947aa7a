"""The labelled sentences that are most like a sentence in what speaks for a topic.

Two sentences are compared by what n-grams add to the topic in the one and in the other: by the
cosine of the two rows of contributions, those left out that are against it. What they share and
the topic does not ask for counts nothing.
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
from topicml.labels.store import read_label_file
from topicml.labels.texts import texts_path
from topicml.models.folder import Model
from topicml.scoring.features import Floats
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
        used = sorted((r for r in records if r.status != "skipped"), key=lambda record: record.id)
        self._records = list({record.text: record for record in reversed(used)}.values())[::-1]
        self.missing = missing
        self._lengths: dict[int, Floats] = {}
        ordered = sorted(scorer.blocks, key=lambda block: block.analyzer != "word")
        texts = [as_scored(record.text) for record in self._records]
        found = ReferenceScorer(ordered).tfidf(texts) if texts else []
        self._blocks = {
            block.analyzer: _Postings(block.coefficients, *tfidf)
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
        if not self._records:
            return ()
        shared = np.zeros(len(self._records))
        own = 0.0
        for found in blocks:
            weights = np.maximum(found.block.coefficients[found.terms, column], 0.0)
            own += float(np.square(found.tfidf * weights).sum())
            postings = self._blocks[found.block.analyzer]
            postings.add(found.terms, found.tfidf * np.square(weights), shared)
        lengths = self._lengths_of(column) * np.sqrt(own)
        similar = np.divide(shared, lengths, out=np.zeros_like(shared), where=lengths > 0)
        order = np.argsort(-similar, kind="stable")[:SHOWN]
        return tuple(
            Neighbour(record.id, record.text, record.topics, min(similar.item(row), 1.0))
            for row in order.tolist()
            if similar[row] > 0
            for record in [self._records[row]]
        )

    def _lengths_of(self, column: int) -> Floats:
        if column not in self._lengths:
            blocks = self._blocks.values()
            squares = sum(block.squares(column, len(self._records)) for block in blocks)
            self._lengths[column] = np.sqrt(squares)
        return self._lengths[column]


class _Postings:
    """The sentences that each term of a block is in, with its TF-IDF there."""

    def __init__(
        self,
        coefficients: Floats,
        rows: NDArray[np.integer],
        terms: NDArray[np.integer],
        tfidf: Floats,
    ) -> None:
        order = np.argsort(terms, kind="stable")
        self._coefficients = coefficients
        self._rows, self._terms = rows[order].astype(np.int32), terms[order].astype(np.int32)
        self._tfidf = tfidf[order]
        self._starts = np.searchsorted(self._terms, np.arange(len(coefficients) + 1))

    def add(self, terms: NDArray[np.intp], weights: Floats, sums: Floats) -> None:
        """Add for each sentence its TF-IDF of some terms, times a weight each."""
        for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
            if not weight:
                continue
            place = slice(self._starts[term], self._starts[term + 1])
            sums[self._rows[place]] += weight * self._tfidf[place]

    def squares(self, column: int, count: int) -> Floats:
        """Return for each of the sentences the sum of squares of what adds to a column."""
        weights = np.maximum(self._coefficients[:, column], 0.0)
        squares = np.square(self._tfidf * weights[self._terms])
        return np.asarray(np.bincount(self._rows, squares, count), dtype=np.float64)


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
    own = [f for f in files if topics.issuperset(t for r in f.records for t in r.topics)]
    records = [record for file in own for record in file.records]
    if not any(record.topics for record in records):
        return LabelledSentences(model.scorer, [])
    return LabelledSentences(model.scorer, records, sum(len(file.without_text) for file in own))


def _state(path: Path) -> tuple[Path, tuple[int, ...], tuple[int, ...]]:
    return path.resolve(), _stamp(path), _stamp(texts_path(path))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size
