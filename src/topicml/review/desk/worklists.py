"""The lists of a project, and the commands that make them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from topicml.errors import InputError, TopicmlError
from topicml.files import write_text
from topicml.labels.migration.history import read_queue
from topicml.review.desk.folders import Folders
from topicml.review.desk.jobs import Job
from topicml.review.desk.known import LabelFolder
from topicml.review.desk.lists import Task, disagreement_tasks, issue_tasks, queue_tasks
from topicml.review.desk.open_articles import OpenArticle
from topicml.review.desk.readings import Readings
from topicml.taxonomy import Taxonomy

ListName = Literal["queue", "issues", "disagreements"]
LISTS: tuple[ListName, ...] = ("queue", "issues", "disagreements")
SETTLING: tuple[ListName, ...] = ("issues", "disagreements")
"""Lists on which an answer decides where others differ."""

_QUEUE_LIMIT = 100


class Worklists:
    """What there is to work through, and how the making of it stands.

    Args:
        folders: Of the project.
        labels: Its label files.
        readings: What was said.
    """

    def __init__(self, folders: Folders, labels: LabelFolder, readings: Readings) -> None:
        self._folders = folders
        self._labels = labels
        self._readings = readings
        jobs = folders.state / "jobs"
        self._jobs = {name: Job(jobs / name, folders.project) for name in ("queue", "issues")}
        self._queue = folders.state / "queue.jsonl"

    def tasks(self, name: ListName, taxonomy: Taxonomy) -> list[Task]:
        """Return a list as it is now.

        Raises:
            LabelError: Labels or annotations cannot be read.
        """
        known = self._labels.labels()
        names = {topic.id: topic.name for topic in taxonomy.topics}
        if name == "queue":
            return queue_tasks(self._queue, names)
        if name == "issues":
            return issue_tasks(self._jobs[name].output_path(0), known)
        open_again = read_queue(self._folders.labels)
        return disagreement_tasks(self._readings.all(), known, open_again, names)

    def left(self, name: ListName, taxonomy: Taxonomy) -> int:
        """Return how many sentences of a list are to be answered."""
        tasks = self.tasks(name, taxonomy)
        if name in SETTLING:
            return len(tasks)
        known = self._labels.labels()
        found = (known.find(task.sentence.id, task.sentence.text) for task in tasks)
        return sum(one is None or one.record.status == "skipped" for one in found)

    def make_queue(self, articles: Sequence[OpenArticle], model: str, by: str) -> None:
        """Begin to choose which sentences of articles to label next.

        Args:
            articles: To choose from.
            model: Name of the model that is asked.
            by: Who wants it.

        Raises:
            InputError: There is no article.
            TopicmlError: It is done already.
        """
        if not articles:
            raise InputError("no article is open", hint="Open some to choose sentences from.")
        texts = self._folders.state / "queue-texts.jsonl"
        lines = (json.dumps({"id": one.key, "text": one.text}) for one in articles)
        write_text(texts, "".join(f"{line}\n" for line in lines))
        command = [
            *("labels", "queue", str(texts), *self._label_options()),
            *(f"--model={model}", f"--models-dir={self._folders.models}"),
            *(f"--limit={_QUEUE_LIMIT}", "--format=jsonl", f"--output={self._queue}", "--force"),
        ]
        self._jobs["queue"].start([command], {"by": by})

    def make_issues(self, by: str) -> None:
        """Begin to look for labels that are likely wrong.

        Raises:
            InputError: There are no labels.
            TopicmlError: It is done already.
        """
        if not self._labels.paths():
            raise InputError("there are no labels yet", hint="Label some sentences first.")
        command = [
            *("labels", "issues", *self._label_options(), f"--taxonomy={self._folders.taxonomy}"),
            *(f"--models-dir={self._folders.models}", "--format=jsonl"),
        ]
        self._jobs["issues"].start([command], {"by": by})

    def state(self, name: str) -> dict[str, Any] | None:
        """Return how the making of a list stands; None where nothing has to be made."""
        return self._jobs[name].state().to_dict() if name in self._jobs else None

    def statuses(self) -> dict[str, str]:
        """Return how the making of each list stands, in a word."""
        return {name: job.state().status for name, job in self._jobs.items()}

    def _label_options(self) -> list[str]:
        return [f"--labels={path}" for path in self._labels.paths()]


def list_name(view: str) -> ListName:
    """Return the name of a list.

    Raises:
        TopicmlError: There is no such list.
    """
    for name in LISTS:
        if view == name:
            return name
    raise TopicmlError("no such list", where=view[:100], hint=f"There are {', '.join(LISTS)}.")
