"""A tagged article and its output record: its topics follow from its sentences.

An article has every topic that one of its sentences has; its probability is the highest
among them. (docs/decisions/article-topics.md has the figures behind the rule.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from topicml.tagging.abstention import REASONS, Reason
from topicml.tagging.thresholds import Thresholds
from topicml.text.sentences import Sentence

Detail = Literal["article", "sentence", "probabilities"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
FIELDS = ("id", "model", "topics", "reason", "sentences", "second_opinion", "duplicate_of")
"""Fields of an output record, which none that is carried through may be named like."""

Tag = tuple[int, float]
"""A topic's column and its probability."""


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence with its topics.

    Attributes:
        sentence: Where it is, and its text.
        topics: Those given, in column order.
        probabilities: T values, in column order.
        relevance: Probability of having any topic.
        reason: Why there is no topic; None where there is one.
    """

    sentence: Sentence
    topics: tuple[str, ...]
    probabilities: NDArray[np.float64]
    relevance: float
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class ArticleTopic:
    """A topic of an article: its highest probability and the sentences that carry it."""

    topic: str
    probability: float
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What a second model decided of an article.

    Attributes:
        model: ``name@version``.
        sentences: Indexes of the sentences that it read.
        thresholds: What they had to reach.
    """

    model: str
    sentences: tuple[int, ...]
    thresholds: Thresholds


@dataclass(frozen=True, eq=False)
class TaggedArticle:
    """A text with its topics, the most probable first, and all its n sentences.

    Attributes:
        id: Of the document.
        model: ``name@version``.
        topics: Those that one of its sentences has.
        reason: Why there is no topic (the commonest reason of its sentences); None where
            there is one.
        topic_ids: All T topics, in column order.
        text: What was tagged.
        spans: n places of sentences in the text, start and end in characters.
        tags: n lists of the topics given.
        codes: n places in ``abstention.REASONS``.
        probabilities: n by T.
        relevance: n.
        second_opinion: What a second model decided; None where none was asked.
        kept: Fields of the document that are carried through.
        encoding: What the document's bytes were decoded by.
    """

    id: str
    model: str
    topics: tuple[ArticleTopic, ...]
    reason: Reason | None
    topic_ids: tuple[str, ...]
    text: str
    spans: Sequence[tuple[int, int]]
    tags: Sequence[Sequence[Tag]]
    codes: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    relevance: NDArray[np.float64]
    second_opinion: ReadAgain | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"

    @cached_property
    def sentences(self) -> tuple[TaggedSentence, ...]:
        """The n sentences, each with its topics."""
        return tuple(
            TaggedSentence(
                Sentence(start, end, self.text[start:end]),
                tuple(self.topic_ids[topic] for topic, _ in tags),
                probabilities,
                relevance,
                REASONS[code],
            )
            for (start, end), tags, probabilities, relevance, code in zip(
                self.spans,
                self.tags,
                self.probabilities,
                self.relevance.tolist(),
                self.codes,
                strict=True,
            )
        )

    def to_dict(self, detail: Detail = "probabilities") -> dict[str, Any]:
        """Return the output record.

        Args:
            detail: ``article`` says nothing of sentences; ``sentence`` gives their places,
                topics with their probabilities, and reasons; ``probabilities`` also their text,
                relevance and all probabilities.
        """
        record: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "topics": [
                {"topic": t.topic, "probability": t.probability, "sentences": list(t.sentences)}
                for t in self.topics
            ],
            "reason": self.reason,
        }
        if detail == "sentence":
            record["sentences"] = _brief_sentences(self)
        elif detail == "probabilities":
            record["sentences"] = _full_sentences(self)
        if self.second_opinion:
            again = self.second_opinion
            record["second_opinion"] = {"model": again.model, "sentences": list(again.sentences)}
        for name, value in self.kept.items():
            record[f"input.{name}" if name in FIELDS else name] = value
        return record


def article_topics(
    topic_ids: Sequence[str], tags: Iterable[Sequence[Tag]]
) -> tuple[ArticleTopic, ...]:
    """Return the topics that at least one of n sentences has, the most probable first."""
    sentences: dict[int, list[int]] = {}
    highest: dict[int, float] = {}
    for index, found in enumerate(tags):
        for topic, probability in found:
            sentences.setdefault(topic, []).append(index)
            highest[topic] = max(highest.get(topic, 0.0), probability)
    return tuple(
        ArticleTopic(topic_ids[topic], highest[topic], tuple(sentences[topic]))
        for topic in sorted(highest, key=lambda topic: (-highest[topic], topic))
    )


def article_reason(codes: Iterable[int]) -> Reason:
    """Return the commonest of n reasons; ``unfamiliar`` for a text without a sentence.

    Args:
        codes: n places in ``abstention.REASONS``.
    """
    counts = Counter(reason for code in codes if (reason := REASONS[code]) is not None)
    return counts.most_common(1)[0][0] if counts else "unfamiliar"


def _brief_sentences(article: TaggedArticle) -> list[dict[str, Any]]:
    names = article.topic_ids
    return [
        {
            "index": index,
            "start": start,
            "end": end,
            "topics": [names[topic] for topic, _ in tags] if tags else [],
            "reason": REASONS[code],
            "probabilities": {names[topic]: p for topic, p in tags} if tags else {},
        }
        for index, ((start, end), tags, code) in enumerate(
            zip(article.spans, article.tags, article.codes.tolist(), strict=True)
        )
    ]


def _full_sentences(article: TaggedArticle) -> list[dict[str, Any]]:
    names = article.topic_ids
    rows = zip(
        article.spans,
        article.tags,
        article.codes.tolist(),
        article.relevance.tolist(),
        article.probabilities.tolist(),
        strict=True,
    )
    return [
        {
            "index": index,
            "start": start,
            "end": end,
            "text": article.text[start:end],
            "topics": [names[topic] for topic, _ in tags],
            "reason": REASONS[code],
            "relevance": relevance,
            "probabilities": dict(zip(names, probabilities, strict=True)),
        }
        for index, ((start, end), tags, code, relevance, probabilities) in enumerate(rows)
    ]
