"""A background model: a linear model that a training starts from, and knows its way in new text by.

It was fitted to what a network says of very much unlabelled text. A training adapts it to hard
labels: its terms and inverse document frequencies are kept, new words of the labels are added,
and only a correction of its coefficients is learned (``logistic``).

What it has learned from labels it must not be judged by. So it comes with the log-odds of K
others for each of these labels, each made by the same recipe without one K-th of the documents:
cross-validation with a background starts each fold from what has not seen it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import normalize

from topicml.labels.texts import sha1_of
from topicml.scoring.features import FeatureBlock
from topicml.scoring.probabilities import sigmoid
from topicml.training.features import Parameters, make_vectorizer
from topicml.training.logistic import fit_logistic

Floats = NDArray[np.float64]

FEATURES = 60_000
"""Terms that a background keeps."""

_C = 10.0
_ITERATIONS_TO_CHOOSE = 60  # by then it is clear which terms matter
_PARAMETERS = Parameters(min_df=5)
_FEWEST_TEXTS_WITH_CHARACTERS = 25
_WEIGHT_OF_NEWS = 10.0
"""Of a label that the background does not know. It has learned the others, and a training adds
little; sixty new ones among fourteen thousand would change nothing (docs/decisions/)."""

_MOST_NEWS = 600.0
"""What all news together weighs at most, unless that is less than one each: a few hundred labels
of one kind would otherwise drown the others."""


@dataclass(frozen=True, slots=True)
class Background:
    """A linear model over T topics and relevance, and what it is worth on labels it has seen.

    Attributes:
        topics: T topic ids, in column order.
        blocks: Its terms, words first, with idf and coefficients.
        intercepts: T + 1.
        seen: SHA-1 of each of n sentences whose labels it has learned from, with its row.
        folds: n, the fold of each.
        log_odds: K by n by T + 1, of a background that has not seen fold k.
        Y: n by T labels.
        real: n, whether each is of real text.
        drawn: n, whether each was drawn at random.
    """

    topics: tuple[str, ...]
    blocks: tuple[FeatureBlock, ...]
    intercepts: Floats
    seen: dict[str, int]
    folds: NDArray[np.int8]
    log_odds: NDArray[np.float16]
    Y: NDArray[np.int8]
    real: NDArray[np.bool_]
    drawn: NDArray[np.bool_]

    @classmethod
    def of_nothing_seen(
        cls, topics: tuple[str, ...], blocks: tuple[FeatureBlock, ...], intercepts: Floats
    ) -> Background:
        """Return one that was judged on no labels."""
        none = np.zeros(0, dtype=np.bool_)
        log_odds = np.zeros((1, 0, len(intercepts)), dtype=np.float16)
        labels = np.zeros((0, len(topics)), dtype=np.int8)
        return cls(
            topics, blocks, intercepts, {}, none.astype(np.int8), log_odds, labels, none, none
        )

    @property
    def coefficients(self) -> Floats:
        """All coefficients, m by T + 1."""
        return np.vstack([block.coefficients for block in self.blocks])

    def vectorizer(self, texts: Sequence[str], min_df: int) -> FeatureUnion:
        """Return a fitted vectoriser: the background's terms, and behind them new words.

        Characters of new words are known well enough; new words get the idf of the rarest term.

        Args:
            texts: Whose words are added.
            min_df: Texts that a new word or n-gram of words must be in.
        """
        return FeatureUnion(
            [(block.analyzer, _extended(block, texts, min_df)) for block in self.blocks]
        )

    def extended_coefficients(self, vectorizer: FeatureUnion) -> Floats:
        """Return T + 1 by m coefficients for one of ``vectorizer``: zero for what is new."""
        parts = []
        for block, (_, step) in zip(self.blocks, vectorizer.transformer_list, strict=True):
            new = np.zeros((len(step.vocabulary_) - len(block.idf), block.coefficients.shape[1]))
            parts += [block.coefficients, new]
        return np.vstack(parts).T

    def folds_of(self, texts: Sequence[str], groups: Sequence[str]) -> NDArray[np.int8]:
        """Return the fold of each of n sentences: where it was, or by its group where it is new."""
        count = len(self.log_odds)
        rows = [self.seen.get(sha1_of(text)) for text in texts]
        return np.array(
            [
                fold_of(group, count) if row is None else self.folds[row]
                for row, group in zip(rows, groups, strict=True)
            ],
            dtype=np.int8,
        )

    def weights_of(self, texts: Sequence[str], Y: NDArray[np.int8]) -> Floats:
        """Return what each of n labelled sentences weighs in a training: more where it is news.

        Args:
            texts: n sentences.
            Y: n by T labels.

        Returns:
            1 for a label that the background has learned; more where the sentence is new or its
            label has been changed since: 10, and less where there are more than sixty of these.
        """
        rows = [self.seen.get(sha1_of(text)) for text in texts]
        known = [
            row is not None and np.array_equal(self.Y[row], own)
            for row, own in zip(rows, Y, strict=True)
        ]
        news = len(known) - sum(known)
        weight = np.clip(_MOST_NEWS / max(1, news), 1.0, _WEIGHT_OF_NEWS)
        return np.where(known, 1.0, weight)

    def log_odds_without(self, fold: int, texts: Sequence[str]) -> Floats:
        """Return n by T + 1 log-odds of a background that has not seen a fold's labels.

        Sentences that no background has seen get those of this one.
        """
        rows = [self.seen.get(sha1_of(text)) for text in texts]
        new = [i for i, row in enumerate(rows) if row is None]
        found = np.zeros((len(texts), len(self.intercepts)))
        known = [i for i, row in enumerate(rows) if row is not None]
        found[known] = self.log_odds[fold][[rows[i] for i in known]]
        if new:
            found[new] = self.predict([texts[i] for i in new])
        return found

    def log_odds_out_of_fold(self, texts: Sequence[str], folds: NDArray[np.int8]) -> Floats:
        """Return n by T + 1 log-odds, each of a background that has not seen that fold."""
        found = np.zeros((len(texts), len(self.intercepts)))
        for fold in {*folds.tolist()}:
            rows = np.flatnonzero(folds == fold).tolist()
            found[rows] = self.log_odds_without(fold, [texts[i] for i in rows])
        return found

    def predict(self, texts: Sequence[str]) -> Floats:
        """Return n by T + 1 log-odds."""
        return log_odds_of(self.blocks, self.intercepts, texts)


def log_odds_of(blocks: Sequence[FeatureBlock], intercepts: Floats, texts: Sequence[str]) -> Floats:
    """Return n by T + 1 log-odds of n sentences."""
    X = sparse.hstack([fixed_vectorizer(block).transform(texts) for block in blocks]).tocsr()
    coefficients = np.vstack([block.coefficients for block in blocks])
    log_odds: Floats = X @ coefficients + intercepts
    return log_odds


def fold_of(group: str, folds: int) -> int:
    """Return the fold of a group: by the SHA-1 of its name, so that it is the same everywhere."""
    return int(sha1_of(group), 16) % folds


def fixed_vectorizer(block: FeatureBlock, terms: Sequence[str] = ()) -> TfidfVectorizer:
    """Return a vectoriser of a block's terms and others, with the block's idf."""
    vocabulary = block.vocabulary | {t: len(block.vocabulary) + n for n, t in enumerate(terms)}
    vectorizer = TfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngram_range,
        sublinear_tf=block.sublinear_tf,
        vocabulary=vocabulary,
    )
    vectorizer.idf_ = np.append(block.idf, np.full(len(terms), block.idf.max()))
    return vectorizer


def _extended(block: FeatureBlock, texts: Sequence[str], min_df: int) -> TfidfVectorizer:
    if block.analyzer != "word":
        return fixed_vectorizer(block)
    words_of = TfidfVectorizer(ngram_range=block.ngram_range).build_analyzer()
    counts = Counter(word for text in texts for word in {*words_of(text)})
    often = (word for word, count in counts.items() if count >= min_df)
    return fixed_vectorizer(block, sorted({*often} - block.vocabulary.keys()))


def fit_background(
    pool: Sequence[str],
    soft: NDArray[np.floating[Any]],
    texts: Sequence[str],
    Y: NDArray[np.int8],
    *,
    features: int = FEATURES,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[tuple[FeatureBlock, ...], Floats]:
    """Fit a background to soft targets of unlabelled sentences, and to hard labels.

    All terms first, then those alone that contribute most.

    Args:
        pool: n unlabelled sentences.
        soft: n by T + 1 log-odds of a teacher, relevance last.
        texts: Labelled sentences.
        Y: Their labels, by T.
        features: Terms to keep.
        on_step: Told what is done next.

    Returns:
        Blocks and T + 1 intercepts.
    """
    union = make_vectorizer(_PARAMETERS)
    for name, step in union.transformer_list:
        fewest = _PARAMETERS.min_df if name == "word" else _FEWEST_TEXTS_WITH_CHARACTERS
        step.set_params(dtype=np.float32, min_df=min(fewest, 1 + len(pool) // 1000))
    on_step("Counting terms.")
    X = union.fit_transform([*pool, *texts]).tocsr()
    targets = np.vstack([sigmoid(soft.astype(np.float64)), np.column_stack([Y, Y.any(axis=1)])])
    offsets = _base_rates(targets)
    on_step(f"Fitting {X.shape[1]:,} terms to {X.shape[0]:,} sentences.")
    coefficients, _ = fit_logistic(
        X, targets, C=_C, offsets=offsets, iterations=_ITERATIONS_TO_CHOOSE
    )
    kept = most_useful(X, coefficients, features)
    on_step(f"Fitting the {len(kept):,} terms that contribute most.")
    steps = [step for _, step in union.transformer_list]
    parts = [X[:, columns] for columns in _by_step(steps, kept) if len(columns)]
    # rows of unit length, as they will be where there are only these terms
    X = sparse.hstack([normalize(part, copy=False) for part in parts]).tocsr()
    coefficients, intercepts = fit_logistic(X, targets, C=_C, offsets=offsets)
    return tuple(_blocks(steps, kept, coefficients)), offsets[0] + intercepts


def _base_rates(targets: Floats) -> Floats:
    shares = np.clip(targets.mean(axis=0), 1e-4, 1 - 1e-4)
    return np.tile(np.log(shares / (1 - shares)), (len(targets), 1))


def most_useful(X: Any, coefficients: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return the columns of X that move log-odds most, in order.

    Args:
        X: Sparse rows, n by m.
        coefficients: K by m.
        count: The most.
    """
    power = np.asarray(X.multiply(X).mean(axis=0)).ravel()
    moves = np.square(coefficients).sum(axis=0) * power
    return np.sort(np.argsort(-moves, kind="stable")[:count])


def _by_step(steps: Sequence[TfidfVectorizer], kept: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the kept columns of each vectoriser's part."""
    ends = np.cumsum([len(step.idf_) for step in steps])
    return [
        kept[(kept >= end - len(s.idf_)) & (kept < end)] for s, end in zip(steps, ends, strict=True)
    ]


def _blocks(
    steps: Sequence[TfidfVectorizer], kept: NDArray[np.intp], coefficients: NDArray[Any]
) -> list[FeatureBlock]:
    blocks, start, before = [], 0, 0
    for step, columns in zip(steps, _by_step(steps, kept), strict=True):
        if len(columns):
            terms = step.get_feature_names_out()[columns - start]
            own = slice(before, before + len(columns))
            blocks.append(
                FeatureBlock(
                    analyzer=step.analyzer,
                    ngram_range=tuple(step.ngram_range),
                    sublinear_tf=bool(step.sublinear_tf),
                    vocabulary={str(term): n for n, term in enumerate(terms)},
                    idf=np.asarray(step.idf_[columns - start], dtype=np.float64),
                    coefficients=np.ascontiguousarray(coefficients[:, own].T, dtype=np.float64),
                )
            )
        start += len(step.idf_)
        before += len(columns)
    return blocks
