"""Explains the decisions of one model, a sentence at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from topicml.errors import ModelError, check_known
from topicml.explain.changes import Judge, Judged, find_change
from topicml.explain.contributions import BlockTerms, Contributions, contributions_of
from topicml.explain.explanation import Explanation, Term, TopicExplanation, Word
from topicml.explain.reading import Reading, read_sentence
from topicml.models.folder import Model
from topicml.models.manifest import LINEAR, Fields, read_manifest
from topicml.scoring.backends import Backends
from topicml.scoring.scorer import Scores
from topicml.tagging.abstention import REASONS
from topicml.tagging.checks import check_sentence, nearest_topic
from topicml.tagging.tagger import decide
from topicml.tagging.thresholds import Thresholds, choose_thresholds
from topicml.text.packed import PackedTexts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topicml.explain.nearest import LabelledSentences

RELEVANCE = "relevance"


def check_explainable(path: Path) -> None:
    """Make sure, without opening it, that what a model decides can be explained.

    Raises:
        ModelError: It is a network, or no readable model.
    """
    _check_linear(read_manifest(path), path)


def _check_linear(manifest: Fields, path: Path) -> None:
    if manifest["kind"] != LINEAR:
        raise ModelError(
            f"{manifest['name']}@{manifest['version']} is a network, which has no weights of words "
            "to explain by",
            where=path,
            hint="Explain by a linear model, such as alliance-topics.",
        )


class Explainer:
    """Explains sentences; may be used by many threads at once.

    Args:
        model: A linear one: a network adds up no words.
        thresholds: What a sentence must reach; None for the model's own.
        labelled: Sentences to look for the nearest ones among; None for none.

    Raises:
        ModelError: The model is a network.
    """

    def __init__(
        self,
        model: Model,
        thresholds: Thresholds | None = None,
        labelled: LabelledSentences | None = None,
    ) -> None:
        _check_linear(model.manifest, model.path)
        self.model = model.reference
        self.thresholds = thresholds or choose_thresholds(model.scorer)
        self._scorer = replace(model.scorer, backends=Backends(model.scorer.blocks))
        self._scorer.use("reference")  # however much it scores: it is a sentence at a time
        self.labelled = labelled
        self._terms = {block.analyzer: [*block.vocabulary] for block in model.scorer.blocks}

    def explain(
        self, text: str, topics: Sequence[str] | None = None, *, full: bool = True
    ) -> Explanation:
        """Explain one sentence, which is not split.

        Args:
            text: The sentence as it stands in its text.
            topics: Topics to explain; None for those given, or the nearest one where none is.
            full: Also look for labelled sentences that are near, and for the words without which a
                topic is not given.

        Raises:
            ModelError: The model has no such topic.
        """
        scorer, thresholds = self._scorer, self.thresholds
        asked = None if topics is None else self.columns_of(topics)
        reading = read_sentence(text)
        found = contributions_of(scorer, reading)
        scores, given, codes = self._decide([reading.read])
        own = np.flatnonzero(given[0]).tolist()
        columns = own or [nearest_topic(scores, thresholds, scorer.scheme)]
        explained = [
            self._explain_topic(reading, found, scores, column, bool(given[0, column]), full=full)
            for column in (columns if asked is None else asked)
        ]
        return Explanation(
            *(self.model, text, tuple(scorer.topics[t] for t in own), REASONS[codes.item(0)]),
            check_sentence(reading.read, scores, scorer.topics, thresholds, scorer.scheme),
            tuple(_words(reading)),
            tuple(term for block in found.blocks for term in self._terms_of(block)),
            tuple(explained),
            self._relevance(found, scores),
            len(self.labelled) if self.labelled else 0,
        )

    def _explain_topic(
        self,
        reading: Reading,
        found: Contributions,
        scores: Scores,
        column: int,
        is_given: bool,
        *,
        full: bool,
    ) -> TopicExplanation:
        change = None
        if full and is_given:
            change = find_change(reading, found.by_word[:, column], self._judge_of(column))
        near = self.labelled.nearest(found.blocks, column) if full and self.labelled else ()
        value, limit = scores.probabilities.item(0, column), self.thresholds.topics.item(column)
        sums = self._sums(found, column)
        name = self._scorer.topics[column]
        return TopicExplanation(name, is_given, value, limit, **sums, nearest=near, change=change)

    def columns_of(self, topics: Iterable[str]) -> list[int]:
        """Return the columns of some topics, each once, in the order they were named in.

        Raises:
            ModelError: The model has no such topic.
        """
        known = self._scorer.topics
        asked = [*dict.fromkeys(topics)]
        check_known(asked, known, self.model, ModelError)
        return [known.index(topic) for topic in asked]

    def _decide(self, texts: Sequence[str]) -> tuple[Scores, NDArray[np.bool_], NDArray[np.int8]]:
        """Score texts as they are read, and decide their topics as a tagger does."""
        packed = PackedTexts.of(texts)
        scores = self._scorer.score_spans(*packed)
        return scores, *decide(scores, packed, self.thresholds, self._scorer.scheme)

    def _judge_of(self, column: int) -> Judge:
        def judge(texts: Sequence[str]) -> Judged:
            scores, given, codes = self._decide(texts)
            probabilities = scores.probabilities[:, column]
            if self._scorer.scheme.is_multiclass:
                others = np.delete(scores.probabilities, column, axis=1).max(axis=1, initial=0.0)
                need = np.maximum(others, self.thresholds.topics[column])
                shares = [_share(probabilities, need)]
            else:
                shares = [
                    _share(probabilities, self.thresholds.topics[column]),
                    _share(scores.relevance, self.thresholds.relevance),
                ]
            hold = np.minimum.reduce(shares)
            return Judged(given[:, column], hold, probabilities, codes)

        return judge

    def _relevance(self, found: Contributions, scores: Scores) -> TopicExplanation | None:
        if self._scorer.scheme.is_multiclass:
            return None
        value, limit = scores.relevance.item(0), self.thresholds.relevance
        return TopicExplanation(RELEVANCE, value >= limit, value, limit, **self._sums(found, -1))

    def _sums(self, found: Contributions, column: int) -> dict[str, Any]:
        return {
            "log_odds": found.log_odds.item(column),
            "intercept": self._scorer.intercepts.item(column),
            "rivals": self._rivals(found, column),
            "words": tuple(found.by_word[:, column].tolist()),
            "terms": tuple(found.by_term[:, column].tolist()),
        }

    def _rivals(self, found: Contributions, column: int) -> float:
        if not self._scorer.scheme.is_multiclass:
            return 0.0
        return float(np.logaddexp.reduce(np.delete(found.log_odds[:-1], column)))

    def _terms_of(self, found: BlockTerms) -> Iterable[Term]:
        names, analyzer = self._terms[found.block.analyzer], found.block.analyzer
        rows = zip(found.terms.tolist(), found.tfidf.tolist(), found.places, strict=True)
        return [Term(names[term], analyzer, tfidf, tuple(own)) for term, tfidf, own in rows]


def _words(reading: Reading) -> Iterable[Word]:
    for word in range(len(reading.words)):
        start, end = reading.place_of_word(word)
        yield Word(start, end, reading.text[start:end])


def _share(values: NDArray[np.float64], need: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return how much of what is needed is there; without end where nothing is needed."""
    limits = np.broadcast_to(need, values.shape)
    nothing_needed = np.full(values.shape, np.inf)
    shares: NDArray[np.float64] = np.divide(values, limits, out=nothing_needed, where=limits > 0)
    return shares
