"""Probabilities from a model stored as data only: no scikit-learn, nothing unpickled.

``scorer.npz`` holds arrays of numbers and UTF-8 bytes: topics, thresholds, intercepts, and
per feature block its settings, vocabulary, idf and coefficients. Behind the T topics there is
one more column, relevance: that a sentence has any topic at all. The features are those
of scikit-learn's ``TfidfVectorizer`` for the analyzers ``word`` and ``char_wb``; results
agree with the pipeline's ``predict_proba`` to rounding.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from topicml.training import Decision

Floats = NDArray[np.float64]

_WORD = re.compile(r"(?u)\b\w\w+\b")  # TfidfVectorizer's default token_pattern
_CERTAIN = 50.0  # log-odds, as in features.CERTAIN
_REPAIR = "Restore the model folder from version control or train it again."


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """One TF-IDF vocabulary with its share of the coefficients.

    Attributes:
        analyzer: ``word`` or ``char_wb``, as in scikit-learn.
        ngram_range: Shortest and longest n-gram.
        sublinear_tf: Whether term frequencies are damped to ``1 + log(tf)``.
        columns: Term to row of ``idf`` and ``coefficients``.
        idf: m inverse document frequencies.
        coefficients: m by T + 1.
    """

    analyzer: str
    ngram_range: tuple[int, int]
    sublinear_tf: bool
    columns: dict[str, int]
    idf: Floats
    coefficients: Floats

    def log_odds(self, lowered: str) -> Floats | float:
        """Return the block's T + 1 contributions to a lower-cased sentence's log-odds."""
        counts = Counter(ANALYZERS[self.analyzer](lowered, *self.ngram_range))
        columns = self.columns
        known = [(columns[term], count) for term, count in counts.items() if term in columns]
        if not known:
            return 0.0
        rows, frequencies = np.array(known).T
        tf = 1.0 + np.log(frequencies) if self.sublinear_tf else frequencies.astype(np.float64)
        weights = tf * self.idf[rows]
        contributions: Floats = weights @ self.coefficients[rows] / np.sqrt(weights @ weights)
        return contributions


class Scores(NamedTuple):
    """What a model finds in n texts.

    Attributes:
        probabilities: n by T, of each topic.
        relevance: n, of having any topic at all.
        known_share: n, the share of a text's words that the model has seen.
    """

    probabilities: Floats
    relevance: Floats
    known_share: Floats


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model ready to score sentences.

    Attributes:
        topics: T topic ids, in column order.
        thresholds: T probabilities from which on a topic is given.
        relevance_threshold: Probability of having any topic under which none is given.
        precisions: K precisions that can be asked for.
        precision_thresholds: T by K thresholds that reached them in cross-validation, NaN
            where none did.
        intercepts: T + 1.
        blocks: The feature blocks.
    """

    topics: tuple[str, ...]
    thresholds: Floats
    relevance_threshold: float
    precisions: tuple[float, ...]
    precision_thresholds: Floats
    intercepts: Floats
    blocks: tuple[FeatureBlock, ...]

    def score(self, texts: Sequence[str]) -> Scores:
        """Return probabilities, relevance and share of known words of n texts."""
        log_odds = np.tile(self.intercepts, (len(texts), 1))
        known = np.empty(len(texts))
        for row, text in enumerate(texts):
            lowered = text.lower()
            known[row] = self._known_share(lowered)
            for block in self.blocks:
                log_odds[row] += block.log_odds(lowered)
        probabilities = np.exp(-np.logaddexp(0.0, -log_odds))
        return Scores(probabilities[:, :-1], probabilities[:, -1], known)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each topic for each text, n by T."""
        return self.score(texts).probabilities

    def _known_share(self, lowered: str) -> float:
        vocabularies = [
            b.columns for b in self.blocks if b.analyzer == "word" and b.ngram_range[0] == 1
        ]
        words = _WORD.findall(lowered)
        if not vocabularies or not words:
            return 1.0
        return sum(word in vocabularies[0] for word in words) / len(words)


def word_ngrams(lowered: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield word n-grams of a lower-cased text, as ``TfidfVectorizer(analyzer="word")``."""
    words = _WORD.findall(lowered)
    for n in range(shortest, longest + 1):
        if n == 1:
            yield from words
        else:
            for start in range(len(words) - n + 1):
                yield " ".join(words[start : start + n])


def char_wb_ngrams(lowered: str, shortest: int, longest: int) -> Iterator[str]:
    """Yield character n-grams inside words, as ``TfidfVectorizer(analyzer="char_wb")``."""
    for word in lowered.split():
        padded = f" {word} "
        for n in range(shortest, longest + 1):
            if n >= len(padded):
                yield padded  # a short word counts once, whatever lengths are left
                break
            for start in range(len(padded) - n + 1):
                yield padded[start : start + n]


ANALYZERS: dict[str, Callable[[str, int, int], Iterator[str]]] = {
    "word": word_ngrams,
    "char_wb": char_wb_ngrams,
}


def export_scorer(
    pipeline: Pipeline, topics: Sequence[str], decision: Decision, path: Path
) -> None:
    """Write a fitted pipeline as ``scorer.npz``: the same bytes for the same pipeline.

    Args:
        pipeline: Fitted, with calibration folded in.
        topics: T topic ids, in column order.
        decision: Gives the thresholds.
        path: File to write.
    """
    classifier = pipeline.named_steps["classifier"]
    relevance = classifier.relevance_
    estimators = [e for e in (*classifier.estimators_, relevance) if e is not None]
    coefficients = np.vstack([e.coef_[0] for e in estimators]).T
    intercepts = [e.intercept_[0] for e in estimators]
    if relevance is None:  # training saw no sentence without a topic: all are relevant
        coefficients = np.column_stack([coefficients, np.zeros(len(coefficients))])
        intercepts.append(_CERTAIN)
    arrays: dict[str, NDArray[Any]] = {
        "topics": _to_bytes("\n".join(topics)),
        "thresholds": np.asarray(decision.thresholds, dtype=np.float64),
        "relevance_threshold": np.array([decision.relevance_threshold]),
        "precisions": np.array(decision.precisions),
        "precision_thresholds": decision.precision_thresholds,
        "intercepts": np.array(intercepts),
    }
    start = 0
    blocks = pipeline.named_steps["features"].transformer_list
    for number, (_, vectorizer) in enumerate(blocks):
        terms = vectorizer.get_feature_names_out()
        settings = {
            "analyzer": vectorizer.analyzer,
            "ngram_range": list(vectorizer.ngram_range),
            "sublinear_tf": bool(vectorizer.sublinear_tf),
        }
        arrays[f"block{number}_settings"] = _to_bytes(json.dumps(settings, sort_keys=True))
        arrays[f"block{number}_vocabulary"] = _to_bytes("\n".join(terms))
        arrays[f"block{number}_idf"] = vectorizer.idf_
        arrays[f"block{number}_coefficients"] = np.ascontiguousarray(
            coefficients[start : start + len(terms)]
        )
        start += len(terms)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numbers and bytes: nothing to pickle


def load_scorer(path: Path) -> Scorer:
    """Read ``scorer.npz`` with ``allow_pickle=False``.

    Raises:
        ModelError: The file is missing, truncated, or its arrays do not fit together.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            scorer = Scorer(
                topics=tuple(_to_text(arrays["topics"]).split("\n")),
                thresholds=arrays["thresholds"],
                relevance_threshold=float(arrays["relevance_threshold"][0]),
                precisions=tuple(arrays["precisions"].tolist()),
                precision_thresholds=arrays["precision_thresholds"],
                intercepts=arrays["intercepts"],
                blocks=tuple(_read_blocks(arrays)),
            )
    except FileNotFoundError as err:
        raise ModelError("file is missing", where=path, hint=_REPAIR) from err
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, TypeError) as err:
        raise ModelError(f"not a readable scorer ({err})", where=path, hint=_REPAIR) from err
    _check_shapes(scorer, path)
    return scorer


def _read_blocks(arrays: Any) -> Iterator[FeatureBlock]:
    number = 0
    while f"block{number}_settings" in arrays:
        settings = json.loads(_to_text(arrays[f"block{number}_settings"]))
        shortest, longest = settings["ngram_range"]
        terms = _to_text(arrays[f"block{number}_vocabulary"]).split("\n")
        if settings["analyzer"] not in ANALYZERS:
            raise ValueError(f"unknown analyzer {settings['analyzer']!r}")
        yield FeatureBlock(
            analyzer=settings["analyzer"],
            ngram_range=(int(shortest), int(longest)),
            sublinear_tf=bool(settings["sublinear_tf"]),
            columns={term: row for row, term in enumerate(terms)},
            idf=arrays[f"block{number}_idf"],
            coefficients=arrays[f"block{number}_coefficients"],
        )
        number += 1


def _check_shapes(scorer: Scorer, path: Path) -> None:
    topics = len(scorer.topics)
    fits = (
        scorer.thresholds.shape == (topics,)
        and scorer.intercepts.shape == (topics + 1,)
        and scorer.precision_thresholds.shape == (topics, len(scorer.precisions))
        and len(scorer.blocks) > 0
        and all(
            block.idf.shape == (len(block.columns),)
            and block.coefficients.shape == (len(block.columns), topics + 1)
            for block in scorer.blocks
        )
    )
    if not fits:
        raise ModelError("arrays do not fit together", where=path, hint=_REPAIR)


def _to_bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _to_text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8")
