"""Texts of requests that wait at the same time are tagged together, which is twice as fast."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from topicml.review.classifier import Asked, Classifier, Workers
from topicml.review.problems import Problem
from topicml.tagging.articles import TaggedArticle
from topicml.text.document import Document

_T = TypeVar("_T")
_MOST_CHARACTERS = 200_000  # of a batch, so that short texts do not wait for long ones


class _Call(NamedTuple):
    documents: Sequence[Document]
    asked: Asked
    finish: Callable[[list[TaggedArticle]], Any]
    future: asyncio.Future[Any]

    @property
    def size(self) -> int:
        return sum(len(document.text) for document in self.documents)


class Batches:
    """Tags for requests; what comes while all threads work waits, and is then tagged in one pass.

    Args:
        classifier: Tags.
        workers: Threads.
        most_waiting: Calls that may wait.
    """

    def __init__(self, classifier: Classifier, workers: Workers, most_waiting: int) -> None:
        self._classifier = classifier
        self._workers = workers
        self._most = most_waiting
        self._waiting: deque[_Call] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def tag(
        self,
        documents: Sequence[Document],
        asked: Asked,
        finish: Callable[[list[TaggedArticle]], _T],
    ) -> _T:
        """Tag n documents.

        Args:
            documents: Them.
            asked: How.
            finish: What is made of the n articles, in a thread, too.

        Raises:
            Problem: Too many calls wait already.
            TopicmlError: See ``Classifier.tag``.
        """
        if len(self._waiting) >= self._most:
            raise Problem(429, "too many requests wait already", {"Retry-After": "1"})
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(documents, asked, finish, future))
        if len(self._running) < self._workers.count:
            task = asyncio.create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _work(self) -> None:
        while self._waiting:
            calls = self._take()
            outcomes = await self._workers.run(partial(self._answer, calls))
            for call, outcome in zip(calls, outcomes, strict=True):
                if call.future.done():  # whoever asked went away
                    continue
                if isinstance(outcome, Exception):
                    call.future.set_exception(outcome)
                else:
                    call.future.set_result(outcome)

    def _take(self) -> list[_Call]:
        """Take the call that came first, and those like it behind it."""
        calls = [self._waiting.popleft()]
        size = calls[0].size
        while self._waiting and self._waiting[0].asked == calls[0].asked:
            size += self._waiting[0].size
            if size > _MOST_CHARACTERS:
                break
            calls.append(self._waiting.popleft())
        return calls

    def _answer(self, calls: Sequence[_Call]) -> list[Any]:
        """Return what comes of each call, or the error it ended in."""
        try:
            documents = [document for call in calls for document in call.documents]
            articles = iter(self._classifier.tag(documents, calls[0].asked))
            return [call.finish([next(articles) for _ in call.documents]) for call in calls]
        except Exception as err:  # noqa: BLE001 - raised where it was asked
            if len(calls) == 1:
                return [err]
        return [outcome for call in calls for outcome in self._answer([call])]
