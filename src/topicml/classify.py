"""From an article to its tags.

An article has every topic that one of its sentences has; its probability is the highest
among them. (docs/decisions/article-topics.md has the figures behind the rule.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from topicml.documents import Document
from topicml.scorer import Scorer
from topicml.sentences import Sentence, split_sentences, whole_text

Unit = Literal["article", "sentence"]


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence with its topics; ``probabilities`` has T values in column order."""

    sentence: Sentence
    topics: tuple[str, ...]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArticleTopic:
    """A topic of an article: its highest probability and the sentences that carry it."""

    topic: str
    probability: float
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TaggedArticle:
    """A text with its topics, the most probable first, and all its sentences."""

    id: str
    model: str
    topics: tuple[ArticleTopic, ...]
    sentences: tuple[TaggedSentence, ...]
    topic_ids: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the output record of ``classify --format jsonl``."""
        return {
            "id": self.id,
            "model": self.model,
            "topics": [
                {"topic": t.topic, "probability": t.probability, "sentences": list(t.sentences)}
                for t in self.topics
            ],
            "sentences": [
                {
                    "index": index,
                    "start": tagged.sentence.start,
                    "end": tagged.sentence.end,
                    "text": tagged.sentence.text,
                    "topics": list(tagged.topics),
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
    threshold: float | None = None,
) -> Iterator[TaggedArticle]:
    """Tag documents one after another; see ``classify_document``."""
    for document in documents:
        yield classify_document(document, scorer, model, unit=unit, threshold=threshold)


def classify_document(
    document: Document,
    scorer: Scorer,
    model: str,
    *,
    unit: Unit = "article",
    threshold: float | None = None,
) -> TaggedArticle:
    """Tag one text.

    Args:
        document: The text.
        scorer: The model's scorer.
        model: ``name@version``, for the record.
        unit: ``sentence`` takes the whole text as one sentence, unsplit.
        threshold: Probability from which on a topic is given, in place of the model's own.
    """
    text = document.text
    sentences = whole_text(text) if unit == "sentence" else split_sentences(text)
    probabilities = scorer.predict_proba([sentence.text for sentence in sentences])
    thresholds = scorer.thresholds if threshold is None else np.full(len(scorer.topics), threshold)
    given = probabilities >= thresholds
    return TaggedArticle(
        id=document.id,
        model=model,
        topics=article_topics(scorer.topics, probabilities, given),
        sentences=tuple(
            TaggedSentence(
                sentence,
                tuple(
                    topic for topic, is_given in zip(scorer.topics, row, strict=True) if is_given
                ),
                probability,
            )
            for sentence, row, probability in zip(sentences, given, probabilities, strict=True)
        ),
        topic_ids=scorer.topics,
    )


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
