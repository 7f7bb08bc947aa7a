"""From documents to tagged articles, many at a time: one pass of the scorer for all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topicml.scheme import Scheme
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
from topicml.tagging.thresholds import Thresholds, choose_thresholds, reached
from topicml.text.document import Document
from topicml.text.normalise import as_scored, places_read_otherwise
from topicml.text.packed import PackedTexts, Split
from topicml.text.sentences import sentence_spans

Unit = Literal["article", "sentence"]
Spans = list[tuple[int, int]]

_NO_TAGS: list[Tag] = []
_NO_ROWS = np.zeros(0, dtype=np.intp)
_FIRST_OF_CHARACTER = -0x40  # a byte of UTF-8 below, as a number with a sign, is a later one


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
        texts = [document.text for document in documents]
        packed, all_spans = _pack(texts, self._splitter(texts))
        scores = self._scorer.score_spans(*packed)
        given, codes = decide(scores, packed, self.thresholds, self._scorer.scheme)
        again = self._read_again(packed, scores, given, codes)
        tags = _by_sentence(given, scores)
        articles = []
        first = 0
        for document, spans in zip(documents, all_spans, strict=True):
            rows = slice(first, first + len(spans))
            own = [tags.get(row, _NO_TAGS) for row in range(rows.start, rows.stop)]
            articles.append(self._article(document, spans, own, codes[rows], scores, rows, again))
            first = rows.stop
        return articles

    def _splitter(self, texts: Sequence[str]) -> Callable[[str], Split]:
        """Return what finds the sentences of each of these texts."""
        if self._unit == "sentence":
            return lambda text: Split.of([(0, len(text))])
        language = self._scorer.scheme.primary_language
        if self._scorer.backend != "compiled":
            return lambda text: Split.of(sentence_spans(text, language))
        from topicml.text.compiled import CompiledSplitter

        return CompiledSplitter(max(map(len, texts), default=0), language).split

    def _read_again(
        self,
        packed: PackedTexts,
        scores: Scores,
        given: NDArray[np.bool_],
        codes: NDArray[np.int8],
    ) -> NDArray[np.intp]:
        """Have the second model decide where the first is unsure; return which sentences."""
        if self._second is None:
            return _NO_ROWS
        rows = self._second.rows(scores, codes, self.thresholds)
        if len(rows):
            unsure = packed.take(rows)
            found = self._second.scorer.score_spans(*unsure)
            given[rows], codes[rows] = decide(
                found, unsure, self._second.thresholds, self._second.scorer.scheme
            )
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
    packed = PackedTexts.of([as_scored(text) for text in texts])
    scores = scorer.score_spans(*packed)
    given, codes = decide(scores, packed, thresholds or choose_thresholds(scorer), scorer.scheme)
    return scores.probabilities, given, [REASONS[code] for code in codes]


def decide(
    scores: Scores, texts: PackedTexts, thresholds: Thresholds, scheme: Scheme
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Decide the topics of n scored sentences.

    Args:
        scores: What the model found in them.
        texts: n sentences, as they are read.
        thresholds: What they must reach.
        scheme: Of the model.

    Returns:
        Which topics are given, n by T, and n places in ``REASONS``, 0 where one is.
    """
    relevant = scores.relevance >= thresholds.relevance
    counted = scores.word_count, scores.latin_share, scores.known_share
    codes = abstain(texts, *counted, relevant, thresholds.known, scheme)
    given = reached(scores.probabilities, thresholds.topics, scheme.kind)
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


def _pack(texts: Sequence[str], split: Callable[[str], Split]) -> tuple[PackedTexts, list[Spans]]:
    """Return the sentences of n texts as they are read, and for each text where it has them."""
    buffer = bytearray()
    all_spans, places = [], [np.zeros((0, 2), dtype=np.int64)]
    for text in texts:
        own, is_as_written = split(text)
        spans = [*zip(own[:, 0].tolist(), own[:, 1].tolist(), strict=True)]
        data = text.encode("utf-8", "surrogatepass")
        own = _byte_places(data, len(text), own) + len(buffer)
        buffer += data
        for row in [] if is_as_written else _rows_read_otherwise(text, spans):
            start, end = spans[row]
            first = len(buffer)
            buffer += as_scored(text[start:end]).encode("utf-8", "surrogatepass")
            own[row] = first, len(buffer)
        all_spans.append(spans)
        places.append(own)
    joined = np.concatenate(places)
    return PackedTexts(bytes(buffer), joined[:, 0], joined[:, 1]), all_spans


def _byte_places(data: bytes, characters: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in a text's UTF-8 places of characters are."""
    if len(data) == characters:
        return places
    inner = np.flatnonzero(np.frombuffer(data, dtype=np.int8) < _FIRST_OF_CHARACTER)
    return places + np.searchsorted(inner - np.arange(len(inner)), places, side="right")


def _rows_read_otherwise(text: str, spans: Spans) -> list[int]:
    """Return which sentences of a text may not be read as they are written."""
    places = places_read_otherwise(text)
    rows = {bisect_right(spans, (place, len(text))) - 1 for place in places}
    return sorted(row for row in rows if row >= 0)
