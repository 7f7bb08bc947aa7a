"""Opened articles as the model in use tags them; where there is none yet, as their sentences."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from topicml.errors import ModelError
from topicml.explain.explainer import Explainer
from topicml.explain.explanation import Explanation
from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.store import ModelStore
from topicml.models.tagger import make_tagger
from topicml.report.tagged import TaggedReport
from topicml.review.desk.open_articles import OpenArticle
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger, tag_sentences
from topicml.taxonomy import Taxonomy
from topicml.text.sentences import sentence_spans

_MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says of a sentence.

    Attributes:
        topics: Those given.
        probabilities: By topic.
        reason: Why there is none; empty where there is one, and where there is no model.
    """

    topics: tuple[str, ...] = ()
    probabilities: Mapping[str, float] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of an article, and what the model says of it."""

    start: int
    end: int
    text: str
    said: Said


class CurrentModel:
    """The version of a name that is in use, taken anew when another one is promoted.

    Args:
        store: Where the versions are.
        name: Model name.
    """

    def __init__(self, store: ModelStore, name: str) -> None:
        self._store = store
        self._name = name
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._tagger: Tagger | None = None
        self._explainer: Explainer | None = None
        self._tagged: dict[tuple[str, str], TaggedArticle] = {}

    def version(self) -> str | None:
        """Return the version in use; None where there is none yet."""
        return self._store.in_use(self._name) if self._store.versions(self._name) else None

    def model(self) -> Model | None:
        """Return the model in use; None where there is none yet.

        Raises:
            ModelError: It is damaged.
        """
        with self._lock:
            version = self.version()
            if version is None:
                return None
            if self._model is None or self._model.reference != f"{self._name}@{version}":
                self._model = open_for_use(self._store.folder(self._name, version))
                self._tagger = make_tagger(self._model)
                self._explainer = None
                self._tagged.clear()
            return self._model

    def explain(self, text: str) -> Explanation | None:
        """Return why a sentence has its topics; None where there is no model yet.

        Raises:
            ModelError: The model is a network.
        """
        model = self.model()
        if model is None:
            return None
        with self._lock:
            self._explainer = self._explainer or Explainer(model)
        return self._explainer.explain(text)

    def report(self, articles: Iterable[OpenArticle]) -> str | None:
        """Return the page of articles as ``classify --format html`` makes it; None without a model.

        Raises:
            ModelError: The model is damaged.
        """
        tagged = [self.tag(article) for article in articles]
        if self._model is None or self._tagger is None:
            return None
        report = TaggedReport(self._model, self._tagger.thresholds)
        for article in tagged:
            if article is not None:
                report.add(article)
        return report.render()

    def say(self, texts: Sequence[str]) -> list[Said]:
        """Return what the model says of n sentences."""
        model = self.model()
        if model is None or not texts:
            return [Said() for _ in texts]
        topics = model.scorer.topics
        probabilities, given, reasons = tag_sentences(model.scorer, texts)
        return [
            Said(
                tuple(topic for topic, one in zip(topics, row, strict=True) if one),
                dict(zip(topics, values, strict=True)),
                reason or "",
            )
            for row, values, reason in zip(
                given.tolist(), probabilities.tolist(), reasons, strict=True
            )
        ]

    def passages(self, article: OpenArticle, taxonomy: Taxonomy) -> list[Passage]:
        """Return the sentences of an article, with what the model says of each."""
        tagged = self.tag(article)
        if tagged is None:
            spans = sentence_spans(article.text, taxonomy.scheme.primary_language)
            return [Passage(a, b, article.text[a:b], Said()) for a, b in spans]
        return [
            Passage(
                one.sentence.start,
                one.sentence.end,
                one.sentence.text,
                Said(
                    one.topics,
                    dict(zip(tagged.topic_ids, one.probabilities.tolist(), strict=True)),
                    one.reason or "",
                ),
            )
            for one in tagged.sentences
        ]

    def tag(self, article: OpenArticle) -> TaggedArticle | None:
        """Return a tagged article; None where there is no model yet."""
        model = self.model()
        if model is None:
            return None
        key = article.key, model.reference
        with self._lock:
            found = self._tagged.get(key)
            if found is None and self._tagger is not None:
                (found,) = self._tagger.tag([article.document()])
                if len(self._tagged) >= _MOST_KEPT:
                    self._tagged.pop(next(iter(self._tagged)))
                self._tagged[key] = found
            return found


def check_topics(model: Model, taxonomy: Taxonomy) -> None:
    """Refuse a model of another scheme.

    Raises:
        ModelError: It has other topics.
    """
    if set(model.scorer.topics) != set(taxonomy.topic_ids):
        raise ModelError(
            f"{model.reference} has other topics than the scheme",
            where=model.path,
            hint="Train one of this scheme.",
        )
