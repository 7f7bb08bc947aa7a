"""From documents to tagged articles, many at a time: one pass of the scorer for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.scoring.scorer import Scorer, Scores
from topicml.tagging.abstention import REASONS, Reason, abstain
from topicml.tagging.articles import (
    ReadAgain,
    Tag,
    TaggedArticle,
    article_reason,
    article_topics,
)
from topicml.tagging.second_opinion import SecondOpinion
from topicml.tagging.thresholds import Thresholds, choose_thresholds
from topicml.text.document import Document
from topicml.text.normalise import as_scored, is_read_as_written
from topicml.text.sentences import sentence_spans

Unit = Literal["article", "sentence"]
Spans = list[tuple[int, int]]

_NO_TAGS: list[Tag] = []
_NO_ROWS = np.zeros(0, dtype=np.intp)


class Tagger:
    """Tags documents with one model; may be used by many threads at once.

    Args:
        scorer: The model's scorer.
        model: ``name@version``, for the record.
        thresholds: What a sentence must reach; None for the model's own.
        unit: ``sentence`` takes each text as one sentence, unsplit.
        second: Reads again what the scorer is unsure of.
    """

    def __init__(
        self,
        scorer: Scorer,
        model: str,
        thresholds: Thresholds | None = None,
        unit: Unit = "article",
        second: SecondOpinion | None = None,
    ) -> None:
        self._scorer = scorer
        self._model = model
        self.thresholds = thresholds or choose_thresholds(scorer)
        self._unit = unit
        self._second = second

    @property
    def uses_all_cores(self) -> bool:
        """Whether what it reads with computes on several cores by itself."""
        return any(scorer.uses_all_cores for scorer in self._scorers())

    def use_threads(self, count: int) -> None:
        """Choose on how many cores what does so by itself computes."""
        for scorer in self._scorers():
            scorer.use_threads(count)

    def _scorers(self) -> list[Scorer]:
        return [self._scorer, *([self._second.scorer] if self._second else [])]

    def tag(self, documents: Sequence[Document]) -> list[TaggedArticle]:
        """Tag n documents; return the n articles, in order."""
        packed = _pack([document.text for document in documents], self._unit)
        scores = self._scorer.score_spans(packed.buffer, packed.starts, packed.ends)
        given, codes = decide(scores, packed.sentences, self.thresholds)
        again = self._read_again(packed, scores, given, codes)
        tags = _by_sentence(given, scores)
        articles = []
        first = 0
        for document, spans in zip(documents, packed.spans, strict=True):
            rows = slice(first, first + len(spans))
            own = [tags.get(row, _NO_TAGS) for row in range(rows.start, rows.stop)]
            articles.append(self._article(document, spans, own, codes[rows], scores, rows, again))
            first = rows.stop
        return articles

    def _read_again(
        self,
        packed: _Packed,
        scores: Scores,
        given: NDArray[np.bool_],
        codes: NDArray[np.int8],
    ) -> NDArray[np.intp]:
        """Have the second model decide where the first is unsure; return which sentences."""
        if self._second is None:
            return _NO_ROWS
        rows = self._second.rows(scores, codes, self.thresholds)
        if len(rows):
            found = self._second.scorer.score_spans(
                packed.buffer, packed.starts[rows], packed.ends[rows]
            )
            sentences = [packed.sentences[row] for row in rows.tolist()]
            given[rows], codes[rows] = decide(found, sentences, self._second.thresholds)
            scores.probabilities[rows], scores.relevance[rows] = found[:2]
        return rows

    def _article(
        self,
        document: Document,
        spans: Spans,
        tags: list[list[Tag]],
        codes: NDArray[np.int8],
        scores: Scores,
        rows: slice,
        again: NDArray[np.intp],
    ) -> TaggedArticle:
        topics = article_topics(self._scorer.topics, tags)
        return TaggedArticle(
            id=document.id,
            model=self._model,
            topics=topics,
            reason=None if topics else article_reason(codes.tolist()),
            topic_ids=self._scorer.topics,
            text=document.text,
            spans=spans,
            tags=tags,
            codes=codes,
            probabilities=scores.probabilities[rows],
            relevance=scores.relevance[rows],
            second_opinion=self._said_of(again, rows),
            kept=document.kept,
            encoding=document.encoding,
        )

    def _said_of(self, again: NDArray[np.intp], rows: slice) -> ReadAgain | None:
        """Return what the second model decided of the sentences of one article."""
        if self._second is None:
            return None
        first, last = np.searchsorted(again, (rows.start, rows.stop))
        own = tuple((again[first:last] - rows.start).tolist())
        return ReadAgain(self._second.model, own, self._second.thresholds)


def tag_sentences(
    scorer: Scorer, texts: Sequence[str], thresholds: Thresholds | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[Reason | None]]:
    """Decide the topics of n sentences.

    Args:
        scorer: The model's scorer.
        texts: n sentences.
        thresholds: What they must reach; None for the model's own.

    Returns:
        Probabilities and which topics are given, both n by T, and for each sentence without
        a topic the reason.
    """
    read = [as_scored(text) for text in texts]
    scores = scorer.score_texts(read)
    given, codes = decide(scores, read, thresholds or choose_thresholds(scorer))
    return scores.probabilities, given, [REASONS[code] for code in codes]


def decide(
    scores: Scores, texts: Sequence[str], thresholds: Thresholds
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Decide the topics of n scored sentences.

    Args:
        scores: What the model found in them.
        texts: n sentences.
        thresholds: What they must reach.

    Returns:
        Which topics are given, n by T, and n places in ``REASONS``, 0 where one is.
    """
    relevant = scores.relevance >= thresholds.relevance
    codes = abstain(texts, scores.word_count, scores.latin_share, scores.known_share, relevant)
    given = scores.probabilities >= thresholds.topics
    given[codes != 0] = False
    codes[(codes == 0) & ~given.any(axis=1)] = REASONS.index("below_threshold")
    return given, codes


def _by_sentence(given: NDArray[np.bool_], scores: Scores) -> dict[int, list[Tag]]:
    """Return the topics that are given, with their probabilities, by sentence."""
    rows, topics = np.nonzero(given)
    found: dict[int, list[Tag]] = {}
    values = scores.probabilities[rows, topics]
    for row, topic, value in zip(rows.tolist(), topics.tolist(), values.tolist(), strict=True):
        found.setdefault(row, []).append((topic, value))
    return found


class _Packed(NamedTuple):
    """Sentences of n texts in one buffer.

    Attributes:
        buffer: UTF-8 bytes.
        starts: Places of all sentences in it.
        ends: Places in it.
        spans: For each text, places of its sentences in it, in characters.
        sentences: All sentences, as they are read.
    """

    buffer: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    spans: list[Spans]
    sentences: list[str]


def _pack(texts: Sequence[str], unit: Unit) -> _Packed:
    """Find the sentences of texts, and put their UTF-8 into one buffer."""
    buffers, all_spans, places = [], [], []
    sentences: list[str] = []
    base = 0
    for text in texts:
        spans = [(0, len(text))] if unit == "sentence" else sentence_spans(text)
        found = [text[start:end] for start, end in spans]
        if is_read_as_written(text):
            buffer, own = _in_place(text, spans)
        else:
            found = [as_scored(sentence) for sentence in found]
            buffer, own = _joined(found)
        buffers.append(buffer)
        all_spans.append(spans)
        places.append(own + base)
        sentences += found
        base += len(buffer)
    joined = np.concatenate(places) if places else np.zeros((0, 2), dtype=np.int64)
    return _Packed(b"".join(buffers), joined[:, 0], joined[:, 1], all_spans, sentences)


def _in_place(text: str, spans: Spans) -> tuple[bytes, NDArray[np.int64]]:
    """Return a text's UTF-8, and where in it the spans are."""
    data = text.encode("utf-8", "surrogatepass")
    places = np.fromiter(chain.from_iterable(spans), np.int64, 2 * len(spans)).reshape(-1, 2)
    if len(data) != len(text):  # places of characters are not those of their bytes
        further = np.flatnonzero((np.frombuffer(data, dtype=np.uint8) & 0xC0) == 0x80)
        # a character's bytes behind its first stand behind so many characters, itself among them
        characters = further - np.arange(len(further))
        places += np.searchsorted(characters, places, side="right")
    return data, places


def _joined(sentences: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Return the UTF-8 of sentences behind one another, and where in it they are."""
    encoded = [sentence.encode("utf-8", "surrogatepass") for sentence in sentences]
    ends = np.cumsum([len(data) for data in encoded], dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1]]) if encoded else ends
    return b"".join(encoded), np.column_stack([starts, ends]).astype(np.int64)
