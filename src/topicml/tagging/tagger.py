"""From records to tagged records, many at a time: one pass of the kernel for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from topicml.models.folder import Model
from topicml.scoring.scorer import Scores
from topicml.tagging.abstention import REASONS
from topicml.tagging.articles import article_reason, decide
from topicml.text.document import Document
from topicml.text.sentences import sentence_spans

Detail = Literal["article", "sentence", "probabilities"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
FIELDS = ("id", "model", "topics", "reason", "sentences", "duplicate_of")
"""Fields of a tagged record, which none that is carried through may be named like."""

_UNFAMILIAR = REASONS.index("unfamiliar")


@dataclass(slots=True)
class Counts:
    """What was found in some records; can be added up.

    Attributes:
        records: Records tagged.
        rejects: Rejected ones by reason.
        sentences: Sentences in the tagged ones.
        unfamiliar: Sentences among them with hardly a known word.
        text_bytes: Bytes of text, in UTF-8.
        topics: Records with each topic.
        duplicates: Records that are near copies of an earlier one.
    """

    records: int = 0
    sentences: int = 0
    unfamiliar: int = 0
    text_bytes: int = 0
    duplicates: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "topics": dict(self.topics), "rejects": dict(self.rejects)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Counts:
        """Return what ``to_dict`` was made from."""
        counters = {name: Counter(values[name]) for name in ("topics", "rejects")}
        return cls(**{**values, **counters})

    def add(self, other: Counts) -> None:
        """Add what was found in others."""
        for name in ("records", "sentences", "unfamiliar", "text_bytes", "duplicates"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.topics.update(other.topics)
        self.rejects.update(other.rejects)


class _Packed(NamedTuple):
    """Sentences of n texts in one buffer: their places in it, and in their own text."""

    buffer: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    spans: list[list[tuple[int, int]]]


class Tagger:
    """Tags records with one model.

    Args:
        model: The model.
        detail: How much is said: ``article`` says nothing of sentences; ``sentence`` gives
            their places, topics, and the probabilities of these; ``probabilities`` all.
        thresholds: T probabilities from which on a topic is given; None for the model's own.
        unit: ``sentence`` takes each text as one sentence, unsplit.
    """

    def __init__(
        self,
        model: Model,
        detail: Detail = "sentence",
        *,
        thresholds: NDArray[np.float64] | None = None,
        unit: Literal["article", "sentence"] = "article",
    ) -> None:
        self._model = model
        self._scorer = model.scorer
        self._detail = detail
        self._thresholds = thresholds
        self._unit = unit

    def tag(self, records: Sequence[Document]) -> tuple[list[dict[str, Any]], Counts]:
        """Tag n records; return the n output records, in order, and what was found."""
        texts = [record.text for record in records]
        packed = _pack(texts, self._unit)
        scores = self._scorer.score_spans(packed.buffer, packed.starts, packed.ends)
        found = zip(texts, packed.spans, strict=True)
        sentences = [text[start:end] for text, spans in found for start, end in spans]
        given, codes = decide(self._scorer, scores, sentences, self._thresholds)
        counts = Counts(len(records), len(codes), int((codes == _UNFAMILIAR).sum()))
        counts.text_bytes = len(packed.buffer)
        pairs = _by_sentence(given, scores)
        tagged = []
        first = 0
        for record, spans in zip(records, packed.spans, strict=True):
            rows = slice(first, first + len(spans))
            tagged.append(self._record(record, spans, pairs, rows, codes, scores))
            counts.topics.update(topic["topic"] for topic in tagged[-1]["topics"])
            first += len(spans)
        return tagged, counts

    def _record(
        self,
        record: Document,
        spans: list[tuple[int, int]],
        found: dict[int, list[tuple[int, float]]],
        rows: slice,
        codes: NDArray[np.int8],
        scores: Scores,
    ) -> dict[str, Any]:
        here = [found.get(row, _NONE) for row in range(rows.start, rows.stop)]
        topics = self._topics(here)
        reasons = None if topics else [REASONS[code] for code in codes[rows]]
        output: dict[str, Any] = {
            "id": record.id,
            "model": self._model.reference,
            "topics": topics,
            "reason": None if reasons is None else article_reason(reasons),
        }
        names = self._scorer.topics
        if self._detail == "sentence":
            output["sentences"] = [
                {
                    "index": index,
                    "start": start,
                    "end": end,
                    "topics": [names[topic] for topic, _ in pairs] if pairs else [],
                    "probabilities": {names[topic]: p for topic, p in pairs} if pairs else {},
                }
                for index, ((start, end), pairs) in enumerate(zip(spans, here, strict=True))
            ]
        elif self._detail == "probabilities":
            output["sentences"] = [
                {
                    "index": index,
                    "start": start,
                    "end": end,
                    "topics": [names[topic] for topic, _ in pairs],
                    "reason": REASONS[code],
                    "probabilities": dict(zip(names, values.tolist(), strict=True)),
                }
                for index, ((start, end), pairs, code, values) in enumerate(
                    zip(spans, here, codes[rows], scores.probabilities[rows], strict=True)
                )
            ]
        return {**output, **record.kept}

    def _topics(self, pairs: list[list[tuple[int, float]]]) -> list[dict[str, Any]]:
        """Return an article's topics as ``classify.article_topics`` finds them."""
        sentences: dict[int, list[int]] = {}
        highest: dict[int, float] = {}
        for index, found in enumerate(pairs):
            for topic, value in found:
                sentences.setdefault(topic, []).append(index)
                highest[topic] = max(highest.get(topic, 0.0), value)
        return [
            {
                "topic": self._scorer.topics[topic],
                "probability": highest[topic],
                "sentences": sentences[topic],
            }
            for topic in sorted(highest, key=lambda topic: (-highest[topic], topic))
        ]


_NONE: list[tuple[int, float]] = []


def _by_sentence(given: NDArray[np.bool_], scores: Scores) -> dict[int, list[tuple[int, float]]]:
    """Return the topics that are given, with their probabilities, by sentence."""
    rows, topics = np.nonzero(given)
    found: dict[int, list[tuple[int, float]]] = {}
    values = scores.probabilities[rows, topics]
    for row, topic, value in zip(rows.tolist(), topics.tolist(), values.tolist(), strict=True):
        found.setdefault(row, []).append((topic, value))
    return found


def _pack(texts: Sequence[str], unit: str) -> _Packed:
    """Put the UTF-8 of texts into one buffer and find their sentences in it."""
    encoded, spans, places = [], [], []
    base = 0
    for text in texts:
        data = text.encode("utf-8")
        found = [(0, len(text))] if unit == "sentence" else sentence_spans(text)
        own = np.array(found, dtype=np.int64).reshape(-1, 2)
        if len(data) != len(text):  # places of characters are not those of their bytes
            bytes_read = np.frombuffer(data, dtype=np.uint8)
            own = np.append(np.flatnonzero((bytes_read & 0xC0) != 0x80), len(data))[own]
        encoded.append(data)
        spans.append(found)
        places.append(own + base)
        base += len(data)
    all_places = np.concatenate(places) if places else np.zeros((0, 2), dtype=np.int64)
    return _Packed(b"".join(encoded), all_places[:, 0], all_places[:, 1], spans)
