"""Probabilities from a model that is plain numbers: no scikit-learn, nothing unpickled.

Behind the T topics there is one more column, relevance: that a sentence has any topic at
all. Results agree with the ``predict_proba`` of the scikit-learn pipeline to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topicml.scheme import DEFAULT_SCHEME, Scheme
from topicml.scoring.backends import Backend, Backends
from topicml.scoring.features import FeatureBlock, Floats
from topicml.scoring.probabilities import probabilities_of
from topicml.text.packed import pack_texts

FEWEST_KNOWN = 0.4
"""Share of a sentence's words that a model must know, where its file does not say."""


class Scores(NamedTuple):
    """What a model finds in n texts.

    Attributes:
        probabilities: n by T, of each topic.
        relevance: n, of having any topic at all; 1 in a multiclass scheme.
        known_share: n, the share of a text's words that the model has seen.
        word_count: n, how many words of letters a text has, of one letter and more.
        latin_share: n, the share of Latin ones among its letters; 1 where it has none.
    """

    probabilities: Floats
    relevance: Floats
    known_share: Floats
    word_count: NDArray[np.int64]
    latin_share: Floats


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model ready to score sentences; may be used by many threads at once.

    Attributes:
        topics: T topic ids, in column order.
        thresholds: T probabilities from which on a topic is given.
        relevance_threshold: Probability of having any topic under which none is given.
        precisions: K precisions that can be asked for.
        precision_thresholds: T by K thresholds that reached them in cross-validation, NaN
            where none did.
        intercepts: T + 1.
        blocks: The feature blocks: at most one of words and one of characters.
        backends: What scores by them.
        fewest_known: Share of a text's words that it must know to judge it.
        scheme: How the texts that it learned from are labelled.
    """

    topics: tuple[str, ...]
    thresholds: Floats
    relevance_threshold: float
    precisions: tuple[float, ...]
    precision_thresholds: Floats
    intercepts: Floats
    blocks: tuple[FeatureBlock, ...]
    backends: Backends
    fewest_known: float = FEWEST_KNOWN
    scheme: Scheme = DEFAULT_SCHEME

    def score(self, buffer: Any, offsets: ArrayLike) -> Scores:
        """Score n texts that lie in one buffer, as those of an Arrow string array do.

        For a ``pyarrow.StringArray`` the buffer is ``array.buffers()[2]``; nothing is
        copied, and the compiled kernel holds no lock on the interpreter. Bytes that are no
        UTF-8 are read as U+FFFD.

        Args:
            buffer: UTF-8 bytes: anything with Python's buffer interface.
            offsets: n + 1 whole numbers: where the texts start, and where the last ends.

        Raises:
            ValueError: The offsets are not in order, or not inside the buffer.
        """
        places = _whole_numbers(offsets)
        if len(places) == 0:
            raise ValueError("offsets are n + 1 whole numbers")
        return self.score_spans(buffer, places[:-1], places[1:])

    def score_spans(self, buffer: Any, starts: ArrayLike, ends: ArrayLike) -> Scores:
        """Score n texts that lie anywhere in one buffer; see ``score``.

        Args:
            buffer: UTF-8 bytes: anything with Python's buffer interface.
            starts: n places in it.
            ends: n places in it.

        Raises:
            ValueError: A text ends before it starts, or is not inside the buffer.
        """
        read = np.frombuffer(buffer, dtype=np.uint8) if len(buffer) else _NO_BYTES
        first, last = _whole_numbers(starts), _whole_numbers(ends)
        if len(first) != len(last):
            raise ValueError(f"{len(first)} starts and {len(last)} ends")
        if len(first) and (first.min() < 0 or last.max() > len(read) or (first > last).any()):
            raise ValueError(f"texts are not inside a buffer of {len(read)} bytes")
        log_odds, counts = self.backends.score(read, first, last)
        values = probabilities_of(log_odds + self.intercepts, self.scheme.kind)
        words, known, letter_words, letters, latin = counts.T
        known_share = _share(known, words) if self._knows_words else np.ones(len(first))
        latin_share = _share(latin, letters)
        return Scores(values[:, :-1], values[:, -1], known_share, letter_words, latin_share)

    def score_texts(self, texts: Sequence[str]) -> Scores:
        """Score n texts."""
        return self.score(*pack_texts(texts))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each topic for each text, n by T."""
        return self.score_texts(texts).probabilities

    @property
    def backend(self) -> Backend:
        """What the next call is scored by: the reference scorer, or the compiled kernel."""
        return self.backends.current

    def use(self, choice: Backend | Literal["auto"]) -> None:
        """Choose what scores from now on; the results agree to rounding.

        Args:
            choice: ``reference`` starts at once; ``compiled`` is 20 times as fast and takes a
                second to start, or 12 where no process has compiled it before. Where numba
                cannot be used, the reference scorer stands in for it, and ``backend`` tells.
                ``auto``, which is what a new scorer does, changes over when enough text was
                scored for that to pay.
        """
        self.backends.choice = choice

    def use_full_precision(self) -> bool:
        """Take the exact one of two ways to compute; return whether it was not taken before."""
        return self.backends.use_full_precision()

    @property
    def uses_all_cores(self) -> bool:
        """Whether it computes on several cores by itself, as a network does: once is enough."""
        return self.backends.uses_all_cores

    def use_threads(self, count: int) -> None:
        """Choose on how many cores it computes, where it does so by itself."""
        self.backends.use_threads(count)

    @property
    def bytes_per_second(self) -> float | None:
        """How fast it has read so far, where that is worth knowing; None before."""
        return self.backends.bytes_per_second

    @property
    def _knows_words(self) -> bool:
        return any(b.analyzer == "word" and b.ngram_range[0] == 1 for b in self.blocks)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Floats:
    share: Floats = np.where(whole > 0, part / np.maximum(whole, 1), 1.0)
    return share


_NO_BYTES = np.zeros(0, dtype=np.uint8)


def _whole_numbers(offsets: ArrayLike) -> NDArray[np.int64]:
    """Return a copy of whole numbers in a row; those of more than 63 bits come out negative."""
    given = np.asarray(offsets)
    if given.ndim != 1 or (given.dtype.kind not in "iu" and len(given)):
        raise ValueError(f"offsets are whole numbers in a row, not {given.dtype}{given.shape}")
    return given.astype(np.int64)
