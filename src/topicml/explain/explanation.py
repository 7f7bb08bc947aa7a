"""Why a sentence has the topics it has: what an explanation says, as plain values.

All places are characters of the sentence itself, ``text[start:end]``, whatever was folded to score
it. For each topic ``intercept`` and the contributions of all words, or of all n-grams, add up to
``log_odds``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from topicml.tagging.abstention import Reason
from topicml.tagging.checks import Check

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence.

    Attributes:
        start: Where it starts.
        end: Where it ends.
        text: As it stands there.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """An n-gram of a sentence that the model knows.

    Attributes:
        term: In lower case; n-grams of characters have a blank where a token starts or ends.
        analyzer: ``word`` or ``char_wb``, as in scikit-learn.
        tfidf: Its weight, of all n-grams of its analyzer of length one.
        places: Where it stands, as often as it is counted.
    """

    term: str
    analyzer: str
    tfidf: float
    places: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A word to be highlighted.

    Attributes:
        start: Where it starts.
        end: Where it ends.
        strength: From -1, most against the topic, to 1, most for it; the word of the sentence that
            counts most has one of the two.
    """

    start: int
    end: int
    strength: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled sentence that is like the one explained in what speaks for a topic.

    Attributes:
        id: Of the label.
        text: The sentence.
        topics: Those it is labelled with.
        similarity: What the n-grams that both have add to the topic, in log-odds; see ``nearest``.
    """

    id: str
    text: str
    topics: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class Change:
    """Words without which a topic is not given, found by scoring what is left of the sentence.

    Attributes:
        words: Indexes of the words that are taken out; none where none were found.
        is_smallest: Whether no smaller set does it, all of them having been tried.
        most: How many words were taken out at most.
        text: What is left, as it is read; None where no words were found.
        probability: Of the topic in what is left.
        reason: Why what is left has no topic at all; None where it has another one.
    """

    words: tuple[int, ...]
    is_smallest: bool
    most: int
    text: str | None = None
    probability: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class TopicExplanation:
    """What speaks for and against one topic, or relevance, in log-odds.

    Attributes:
        topic: Topic id, or ``relevance``.
        is_given: Whether the sentence has the topic; of relevance, whether it is high enough.
        probability: Of the topic.
        threshold: What it has to reach.
        log_odds: The model's, calibration included.
        intercept: What they are before any word.
        rivals: In a multiclass scheme, the logarithm of the sum of the odds of all other topics; 0
            elsewhere. The probability is that of the log-odds less these.
        words: Contributions of the words of the explanation, in their order.
        terms: Contributions of its n-grams, in their order.
        nearest: Labelled sentences that are most like it, the most alike first.
        change: What would take the topic away; None where it is not given, or was not asked for.
    """

    topic: str
    is_given: bool
    probability: float
    threshold: float
    log_odds: float
    intercept: float
    rivals: float
    words: tuple[float, ...]
    terms: tuple[float, ...]
    nearest: tuple[Neighbour, ...] = ()
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one sentence has the topics it has, or none.

    Attributes:
        model: ``name@version``.
        text: The sentence.
        given: Topics that it has, in the model's order.
        reason: Why it has none; None where it has one.
        checks: What was checked, in the order in which it counts: the first that fails is the
            reason.
        words: Its n words, in order.
        terms: Its m n-grams that the model knows.
        topics: Those that were asked for: where nothing was, those given, or else the one that is
            nearest to its threshold.
        relevance: Of having any topic; None in a multiclass scheme.
        labelled: How many labelled sentences the nearest ones were looked for among.
    """

    model: str
    text: str
    given: tuple[str, ...]
    reason: Reason | None
    checks: tuple[Check, ...]
    words: tuple[Word, ...]
    terms: tuple[Term, ...]
    topics: tuple[TopicExplanation, ...]
    relevance: TopicExplanation | None
    labelled: int = 0

    def topic(self, name: str) -> TopicExplanation:
        """Return what is said of one topic.

        Raises:
            KeyError: Nothing is said of it.
        """
        for topic in self.topics:
            if topic.topic == name:
                return topic
        raise KeyError(name)

    def marks(self, topic: TopicExplanation) -> tuple[Mark, ...]:
        """Return the words to be highlighted for a topic, in order; none that adds nothing."""
        most = max(map(abs, topic.words), default=0.0)
        return tuple(
            Mark(word.start, word.end, added / most)
            for word, added in zip(self.words, topic.words, strict=True)
            if added
        )

    def segments(self, topic: TopicExplanation) -> list[tuple[str, float]]:
        """Return the sentence in pieces, each with its strength for a topic, 0 between marks.

        Behind one another they are the sentence.
        """
        found: list[tuple[str, float]] = []
        end = 0
        for mark in self.marks(topic):
            found += [(self.text[end : mark.start], 0.0)] if end < mark.start else []
            found.append((self.text[mark.start : mark.end], mark.strength))
            end = mark.end
        return [*found, (self.text[end:], 0.0)] if end < len(self.text) else found

    def strongest_words(
        self, topic: TopicExplanation, most: int, *, against: bool = False
    ) -> list[tuple[Word, float]]:
        """Return words that speak for a topic, or against it, with what each adds; strongest first.

        A word that comes several times is one, with what it adds in all.
        """
        sign = -1 if against else 1
        together: dict[str, tuple[Word, float]] = {}
        for word, added in zip(self.words, topic.words, strict=True):
            key = word.text.lower()
            first, before = together.get(key, (word, 0.0))
            together[key] = first, before + added
        found = [(word, added) for word, added in together.values() if sign * added > 0]
        return sorted(found, key=lambda pair: (-abs(pair[1]), pair[0].start))[:most]

    def strongest_terms(self, topic: TopicExplanation, most: int) -> list[tuple[Term, float]]:
        """Return the n-grams that count most for a topic or against it, and what each adds."""
        pairs = zip(self.terms, topic.terms, strict=True)
        return sorted(pairs, key=lambda pair: -abs(pair[1]))[:most]

    def to_dict(self, *, full: bool = True) -> dict[str, Any]:
        """Return the explanation as JSON has it; see docs/output.md.

        Args:
            full: Also each n-gram, what is nearest, and what would take a topic away.
        """
        columns = [*self.topics, *([self.relevance] if self.relevance else [])]
        topics = [self._topic_dict(column, full=full) for column in columns]
        return {
            "given": list(self.given),
            "reason": self.reason,
            "checks": [{**asdict(check), "limit": _finite(check.limit)} for check in self.checks],
            "topics": topics[: len(self.topics)],
            "relevance": topics[-1] if self.relevance else None,
            **({"labelled": self.labelled} if full else {}),
        }

    def _topic_dict(self, topic: TopicExplanation, *, full: bool) -> dict[str, Any]:
        numbers = ("probability", "threshold", "log_odds", "intercept", "rivals")
        found: dict[str, Any] = {"topic": topic.topic, "given": topic.is_given}
        found |= {name: _finite(getattr(topic, name)) for name in numbers}
        found["words"] = [
            {**asdict(word), "contribution": added}
            for word, added in zip(self.words, topic.words, strict=True)
        ]
        if full:
            found["terms"] = [
                {**asdict(term), "contribution": added}
                for term, added in self.strongest_terms(topic, len(self.terms))
            ]
            found["nearest"] = [asdict(neighbour) for neighbour in topic.nearest]
            found["change"] = topic.change and asdict(topic.change)
        return found


def _finite(value: float | None) -> float | None:
    """Return a threshold; none where a topic is never given."""
    return None if value is None or not math.isfinite(value) else value
