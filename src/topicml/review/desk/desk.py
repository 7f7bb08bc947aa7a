"""The desk of a project: everything that its review page shows and takes, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from topicml.errors import InputError
from topicml.labels.annotations import AnnotationStore
from topicml.labels.migration.history import check_finished
from topicml.labels.records import LabelRecord
from topicml.models.store import ModelStore
from topicml.review.desk.answers import Answer, Answers, sentence_id, unanswered
from topicml.review.desk.counts import counts
from topicml.review.desk.folders import Folders
from topicml.review.desk.jobs import Job
from topicml.review.desk.known import LabelFolder, stamp_of
from topicml.review.desk.links import fetch
from topicml.review.desk.open_articles import OpenArticle, OpenArticles, headline
from topicml.review.desk.opening import Read, read_bytes, read_file, read_source, read_text
from topicml.review.desk.places import Places
from topicml.review.desk.readings import Readings
from topicml.review.desk.tagging import CurrentModel, Said, check_topics
from topicml.review.desk.training import Paths, Training
from topicml.review.desk.views import Views
from topicml.review.desk.worklists import LISTS, SETTLING, ListName, Worklists, list_name
from topicml.taxonomy import Taxonomy, load_taxonomy

_ARTICLE = "article:"


class Desk:
    """Everything of one project. Any number of desks of it may be open at once.

    Args:
        folders: Of the project.

    Raises:
        TaxonomyError: There is no scheme, or it is broken.
        LabelError: A migration of the labels is under way.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders.prepared()
        self._taxonomy = load_taxonomy(self.folders.taxonomy)
        self._taxonomy_stamp = stamp_of(self.folders.taxonomy)
        check_finished(self.folders.labels)
        state = self.folders.state
        self.store = ModelStore(self.folders.models)
        self.articles = OpenArticles(state / "articles")
        self.places = Places(state / "places")
        self.labels = LabelFolder(self.folders.labels)
        self.readings = Readings(AnnotationStore(self.folders.labels / "annotations"))
        self.answers = Answers(self.labels, self.readings)
        self.model = CurrentModel(self.store, self._taxonomy.name)
        self.worklists = Worklists(self.folders, self.labels, self.readings)
        self.training = Training(
            Job(state / "jobs" / "training", self.folders.project),
            *(self.store, self._taxonomy.name, state / "decided.json"),
        )
        self._views = Views(self.labels, self.readings)
        self.answers.catch_up()

    def taxonomy(self) -> Taxonomy:
        """Return the label scheme as it is now.

        Raises:
            TaxonomyError: It is broken.
        """
        stamp = stamp_of(self.folders.taxonomy)
        if stamp != self._taxonomy_stamp:
            self._taxonomy, self._taxonomy_stamp = load_taxonomy(self.folders.taxonomy), stamp
        return self._taxonomy

    # articles

    def open_bytes(self, name: str, data: bytes, by: str) -> tuple[list[OpenArticle], list[str]]:
        """Open a file that came over the wire; return its articles, and what could not be read."""
        return self._keep(read_bytes(name, data), by)

    def open_file(self, path: Path, by: str) -> tuple[list[OpenArticle], list[str]]:
        """Open a file of this machine; return its articles, and what could not be read."""
        return self._keep(read_file(path), by)

    def open_text(self, title: str, text: str, by: str) -> OpenArticle:
        """Open a text that was pasted.

        Raises:
            InputError: See ``read_text``.
        """
        name = " ".join(title.split()) or headline(text)
        return self.articles.put(read_text(name, text), name, by)

    def open_link(self, url: str, by: str) -> tuple[list[OpenArticle], list[str]]:
        """Fetch a page and open it; return its articles, and what could not be read.

        Raises:
            TopicmlError: It cannot be fetched.
        """
        page = fetch(url)
        read = read_source(page)
        for _, document in read.documents:
            document.kept.setdefault("url", page.name)
        return self._keep(read, by)

    def records(self) -> bytes:
        """Return the opened articles as ``classify --format jsonl`` writes them.

        Raises:
            InputError: There is no model yet.
        """
        articles = [self.model.tag(article) for article in self.articles.all()]
        if None in articles:
            raise InputError("there is no model yet", hint="Label some sentences and train one.")
        rows = (json.dumps(one.to_dict(), ensure_ascii=False) for one in articles if one)
        return "".join(f"{row}\n" for row in rows).encode("utf-8", "replace")

    def report(self) -> str:
        """Return the opened articles as a page.

        Raises:
            InputError: There is no model yet.
        """
        found = self.model.report(self.articles.all())
        if found is None:
            raise InputError("there is no model yet", hint="Label some sentences and train one.")
        return found

    def explain(self, view: str, identifier: str) -> dict[str, Any]:
        """Return why a sentence has its topics, as plain values.

        Raises:
            InputError: There is no such sentence, or no model yet.
            ModelError: The model is a network.
        """
        found = self.model.explain(self.find(view, identifier).text)
        if found is None:
            raise InputError("there is no model yet", hint="Label some sentences and train one.")
        return {
            "model": found.model,
            "failed": next((check.what for check in found.checks if not check.passed), ""),
            "topics": [
                {
                    "topic": topic.topic,
                    "given": topic.is_given,
                    "probability": topic.probability,
                    "threshold": min(topic.threshold, 1.0),
                    "pieces": found.segments(topic),
                }
                for topic in found.topics
            ],
        }

    def _keep(self, read: Read, by: str) -> tuple[list[OpenArticle], list[str]]:
        opened = [self.articles.put(document, name, by) for name, document in read.documents]
        return opened, read.problems

    def article(self, key: str, annotator: str) -> dict[str, Any]:
        """Return an article with its sentences, and what everybody says of each.

        Raises:
            InputError: It is not open.
        """
        article = self.articles.get(key)
        return {
            "key": key,
            "name": article.name,
            "text": article.text,
            "fields": article.fields or {},
            "sentences": [
                {**self._views.shown(sentence, said, annotator), "why": []}
                for sentence, said in self._passages(article)
            ],
        }

    def _passages(self, article: OpenArticle) -> list[tuple[LabelRecord, Said]]:
        known, seen = self.labels.labels(), set[str]()
        found = []
        for one in self.model.passages(article, self.taxonomy()):
            identifier = sentence_id(article.key, one.start, one.text)
            sentence = unanswered(identifier, article.key, one.text, one.start, one.end)
            label = known.find(identifier, one.text)
            key = label.record.id if label else identifier
            if key not in seen:
                seen.add(key)
                found.append((sentence, one.said))
        return found

    def overview(self) -> list[dict[str, Any]]:
        """Return the opened articles, with their topics and how many sentences are answered."""
        return [self._brief(article) for article in self.articles.all()]

    def _brief(self, article: OpenArticle) -> dict[str, Any]:
        tagged = self.model.tag(article)
        known = self.labels.labels()
        passages = self._passages(article)
        labelled = [
            found
            for sentence, _ in passages
            if (found := known.find(sentence.id, sentence.text))
            and found.record.status != "skipped"
        ]
        return {
            "key": article.key,
            "name": article.name,
            "opened": article.opened,
            "topics": [one.topic for one in tagged.topics] if tagged else [],
            "sentences": len(passages),
            "labelled": len(labelled),
        }

    # lists

    def view(self, view: str, annotator: str) -> dict[str, Any]:
        """Return an article (``article:KEY``) or a list, with what everybody says of it."""
        if view.startswith(_ARTICLE):
            return self.article(view.removeprefix(_ARTICLE), annotator)
        return self.work(list_name(view), annotator)

    def work(self, name: ListName, annotator: str) -> dict[str, Any]:
        """Return a list with what everybody says of each sentence."""
        tasks = self.worklists.tasks(name, self.taxonomy())
        said = self.model.say([task.sentence.text for task in tasks])
        settles = name in SETTLING
        return {
            "name": name,
            "job": self.worklists.state(name),
            "sentences": [
                {
                    **self._views.shown(task.sentence, one, annotator, settles=settles),
                    **({"suggested": list(task.suggested)} if settles else {}),
                    "why": list(task.why),
                }
                for task, one in zip(tasks, said, strict=True)
            ],
        }

    def left(self) -> dict[str, int]:
        """Return how many sentences of each list are to be answered."""
        return {name: self.worklists.left(name, self.taxonomy()) for name in LISTS}

    def make(self, name: Literal["queue", "issues"], by: str) -> None:
        """Begin to make a list anew.

        Raises:
            InputError: There is nothing to make it of, or no model yet to ask.
            TopicmlError: It is done already.
        """
        if name == "issues":
            self.worklists.make_issues(by)
            return
        if self.model.version() is None:
            raise InputError(
                "there is no model yet to ask", hint="Label some sentences and train one first."
            )
        self.worklists.make_queue(self.articles.all(), self._taxonomy.name, by)

    # answers

    def find(self, view: str, identifier: str) -> LabelRecord:
        """Return the sentence of a list or an article by its id.

        Raises:
            InputError: It is not there, or no longer.
        """
        known = self.labels.labels().get(identifier)
        if known:
            return known.record
        if view.startswith(_ARTICLE):
            article = self.articles.get(view.removeprefix(_ARTICLE))
            sentences: Iterable[LabelRecord] = (one for one, _ in self._passages(article))
        else:
            sentences = (
                task.sentence for task in self.worklists.tasks(list_name(view), self.taxonomy())
            )
        for sentence in sentences:
            if sentence.id == identifier:
                return sentence
        raise InputError("no such sentence", where=view[:100], hint="Load the page again.")

    def answer(
        self,
        view: str,
        identifier: str,
        annotator: str,
        topics: Sequence[str] | None,
        note: str = "",
    ) -> dict[str, Any]:
        """Take an answer, and return what everybody says of the sentence now.

        Args:
            view: The list or article that it was given on.
            identifier: Of the sentence.
            annotator: Who gives it.
            topics: See ``Answer``.
            note: A remark.

        Raises:
            TopicmlError: See ``Answers.give``.
        """
        settles = view in SETTLING
        sentence = self.find(view, identifier)
        chosen = None if topics is None else tuple(topics)
        self.answers.give(sentence, Answer(annotator, chosen, settles, note), self.taxonomy())
        return self._views.said(sentence, annotator, settles=settles)

    def take_back(self, annotator: str) -> dict[str, Any] | None:
        """Take an annotator's last answer back; return what everybody says of the sentence now."""
        taken = self.answers.take_back(annotator)
        if taken is None:
            return None
        known = self.labels.labels()[taken.id]
        return self._views.said(known.record, annotator, settles=taken.adjudicated)

    # all of it

    def counts(self) -> dict[str, Any]:
        """Return counts and agreement, see ``counts``."""
        records = [record for file in self.labels.labels().files for record in file.records]
        return counts(self.readings.all(), records, self.taxonomy())

    def retrain(self, by: str) -> None:
        """Begin a training on all labels.

        Raises:
            TopicmlError: See ``Training.start``.
        """
        self.answers.catch_up()
        paths = Paths(tuple(self.labels.paths()), self.folders.taxonomy, self.folders.data)
        self.training.start(paths, by)

    def check_model(self) -> None:
        """Refuse a model of another scheme than the project's.

        Raises:
            ModelError: It has other topics, or is damaged.
        """
        if model := self.model.model():
            check_topics(model, self.taxonomy())

    def status(self) -> dict[str, Any]:
        """Return what changes when others did something."""
        return {
            "said": str(self.readings.stamp()),
            "articles": len(self.articles.all()),
            "model": self.model.version(),
            "jobs": self.worklists.statuses(),
            "training": self.training.status(),
        }
