"""From an article to its tags.

An article has every topic that one of its sentences has; its probability is the highest
among them. (docs/decisions/article-topics.md has the figures behind the rule.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.scoring.scorer import Scorer, Scores
from topicml.tagging.abstention import REASONS, Reason, screen
from topicml.text.document import Document
from topicml.text.sentences import Sentence, split_sentences, whole_text

Unit = Literal["article", "sentence"]


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence with its topics; ``probabilities`` has T values in column order.

    ``reason`` says why there is no topic, and is None where there is one.
    """

    sentence: Sentence
    topics: tuple[str, ...]
    probabilities: NDArray[np.float64]
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class ArticleTopic:
    """A topic of an article: its highest probability and the sentences that carry it."""

    topic: str
    probability: float
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TaggedArticle:
    """A text with its topics, the most probable first, and all its sentences.

    ``reason`` says why there is no topic (the commonest reason of its sentences), and is
    None where there is one.
    """

    id: str
    model: str
    topics: tuple[ArticleTopic, ...]
    sentences: tuple[TaggedSentence, ...]
    topic_ids: tuple[str, ...]
    reason: Reason | None

    def to_dict(self) -> dict[str, Any]:
        """Return the output record of ``classify --format jsonl``."""
        return {
            "id": self.id,
            "model": self.model,
            "topics": [
                {"topic": t.topic, "probability": t.probability, "sentences": list(t.sentences)}
                for t in self.topics
            ],
            "reason": self.reason,
            "sentences": [
                {
                    "index": index,
                    "start": tagged.sentence.start,
                    "end": tagged.sentence.end,
                    "text": tagged.sentence.text,
                    "topics": list(tagged.topics),
                    "reason": tagged.reason,
                    "probabilities": dict(
                        zip(self.topic_ids, tagged.probabilities.tolist(), strict=True)
                    ),
                }
                for index, tagged in enumerate(self.sentences)
            ],
        }


def classify_documents(
    documents: Iterable[Document],
    scorer: Scorer,
    model: str,
    *,
    unit: Unit = "article",
    thresholds: NDArray[np.float64] | None = None,
) -> Iterator[TaggedArticle]:
    """Tag documents one after another; see ``classify_document``."""
    for document in documents:
        yield classify_document(document, scorer, model, unit=unit, thresholds=thresholds)


def classify_document(
    document: Document,
    scorer: Scorer,
    model: str,
    *,
    unit: Unit = "article",
    thresholds: NDArray[np.float64] | None = None,
) -> TaggedArticle:
    """Tag one text.

    Args:
        document: The text.
        scorer: The model's scorer.
        model: ``name@version``, for the record.
        unit: ``sentence`` takes the whole text as one sentence, unsplit.
        thresholds: T probabilities from which on a topic is given; None for the model's own.
    """
    text = document.text
    sentences = whole_text(text) if unit == "sentence" else split_sentences(text)
    probabilities, given, reasons = tag_sentences(scorer, [s.text for s in sentences], thresholds)
    topics = article_topics(scorer.topics, probabilities, given)
    return TaggedArticle(
        id=document.id,
        model=model,
        topics=topics,
        sentences=tuple(
            TaggedSentence(sentence, tuple(compress(scorer.topics, row)), probability, reason)
            for sentence, row, probability, reason in zip(
                sentences, given, probabilities, reasons, strict=True
            )
        ),
        topic_ids=scorer.topics,
        reason=None if topics else article_reason(reasons),
    )


def tag_sentences(
    scorer: Scorer, texts: Sequence[str], thresholds: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[Reason | None]]:
    """Decide the topics of n sentences.

    Args:
        scorer: The model's scorer.
        texts: n sentences.
        thresholds: T probabilities; None for the model's own.

    Returns:
        Probabilities and which topics are given, both n by T, and for each sentence without
        a topic the reason.
    """
    scores = scorer.score_texts(texts)
    given, codes = decide(scorer, scores, texts, thresholds)
    return scores.probabilities, given, [REASONS[code] for code in codes]


def decide(
    scorer: Scorer,
    scores: Scores,
    texts: Sequence[str],
    thresholds: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Decide the topics of n scored sentences.

    Args:
        scorer: The model's scorer.
        scores: What it found.
        texts: n sentences.
        thresholds: T probabilities; None for the model's own.

    Returns:
        Which topics are given, n by T, and n places in ``REASONS``, 0 where there is one.
    """
    relevant = scores.relevance >= scorer.relevance_threshold
    codes = screen(texts, scores.word_count, scores.latin_share, scores.known_share, relevant)
    given = scores.probabilities >= (scorer.thresholds if thresholds is None else thresholds)
    given[codes != 0] = False
    codes[(codes == 0) & ~given.any(axis=1)] = REASONS.index("below_threshold")
    return given, codes


def thresholds_for_precision(scorer: Scorer, precision: float) -> NDArray[np.float64]:
    """Return T thresholds that reached a precision in cross-validation.

    The nearest precision at or above the one asked for is taken. A topic that never reached
    it is never given; no threshold is under the model's own.

    Raises:
        ModelError: The model has no thresholds for a precision as high as that.
    """
    reached = [k for k, p in enumerate(scorer.precisions) if p >= precision - 1e-9]
    if not reached:
        known = ", ".join(f"{p:g}" for p in scorer.precisions)
        raise ModelError(
            f"no thresholds for a precision of {precision:g}", hint=f"The model has: {known}."
        )
    chosen = scorer.precision_thresholds[:, reached[0]]
    return np.maximum(np.where(np.isnan(chosen), np.inf, chosen), scorer.thresholds)


def article_reason(reasons: Sequence[Reason | None]) -> Reason:
    """Return the commonest reason; ``unfamiliar`` for a text without a sentence."""
    counts = Counter(reason for reason in reasons if reason is not None)
    return counts.most_common(1)[0][0] if counts else "unfamiliar"


def article_topics(
    topics: tuple[str, ...], probabilities: NDArray[np.float64], given: NDArray[np.bool_]
) -> tuple[ArticleTopic, ...]:
    """Return the topics that at least one of n sentences has, the most probable first."""
    found = [
        ArticleTopic(
            topic, float(probabilities[rows, t].max()), tuple(np.flatnonzero(rows).tolist())
        )
        for t, topic in enumerate(topics)
        if (rows := given[:, t]).any()
    ]
    return tuple(sorted(found, key=lambda t: -t.probability))
