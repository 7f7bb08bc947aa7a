"""Models that stay open, and what tags with them, by many threads at once."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from topicml.errors import ModelError, TopicmlError
from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.review.problems import Problem
from topicml.review.settings import Settings
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Unit
from topicml.text.document import Document
from topicml.text.normalise import printable

_LOG = logging.getLogger(__name__)
_MOST_OPEN = 4  # models; more than one where requests name them, or another one is promoted
_T = TypeVar("_T")


class Asked(NamedTuple):
    """How texts are to be tagged; see ``make_tagger``.

    Attributes:
        model: ``name`` or ``name@version`` of the store; None for the server's own.
        unit: See there.
        threshold: See there.
        min_precision: See there.
        relevance: See there.
    """

    model: str | None = None
    unit: Unit = "article"
    threshold: float | None = None
    min_precision: float | None = None
    relevance: float | None = None


class Classifier:
    """Tags texts with the models of a store; may be used by many threads at once.

    Args:
        settings: Of the server.
    """

    def __init__(self, settings: Settings) -> None:
        self._store = settings.store
        self._default = settings.model
        self._opened: dict[Path, Model] = {}
        self._opening = threading.Lock()

    def model(self, reference: str | None = None) -> Model:
        """Return a model, opened and compiled; the one in use now where only a name is given.

        Raises:
            Problem: There is no such model, it is damaged, or this machine cannot use it.
        """
        try:
            path = self._store.find(reference or self._default)
            return self._opened.get(path) or self._open(path)
        except TopicmlError as err:
            _LOG.warning("%s", printable(str(err)))
            raise _unusable(err) from err

    def _open(self, path: Path) -> Model:
        with self._opening:  # one at a time, and each once
            if path not in self._opened:
                self._opened[path] = _ready(path)
            while len(self._opened) > _MOST_OPEN:
                del self._opened[next(iter(self._opened))]
            return self._opened[path]

    def tag(self, documents: Sequence[Document], asked: Asked) -> list[TaggedArticle]:
        """Tag n documents.

        Raises:
            Problem: See ``model``; or there are no thresholds for a precision as high as that.
        """
        model = self.model(asked.model)
        try:
            tagger = make_tagger(
                model,
                threshold=asked.threshold,
                min_precision=asked.min_precision,
                relevance=asked.relevance,
                unit=asked.unit,
            )
        except ModelError as err:
            raise _unusable(err) from err
        return tagger.tag(documents)


def _ready(path: Path) -> Model:
    model = open_for_use(path)
    model.scorer.use("compiled")
    model.scorer.score_texts(["Allies met."])  # compiles, or loads what was compiled
    return model


class Workers:
    """Threads for what takes long, so that the event loop never waits.

    Args:
        most_waiting: Calls that may wait for a thread.
    """

    def __init__(self, most_waiting: int) -> None:
        count = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(count, "worker")
        self._free = threading.Semaphore(count + most_waiting)

    async def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in one of the threads.

        Raises:
            Problem: Too many calls wait already.
        """
        if not self._free.acquire(blocking=False):
            raise Problem(429, "too many requests wait already", {"Retry-After": "1"})
        future = self._pool.submit(function)
        future.add_done_callback(lambda _: self._free.release())
        return await asyncio.wrap_future(future)


def _unusable(error: TopicmlError) -> Problem:
    """Return the problem of a request for a model that cannot be used; paths stay here."""
    return Problem(422, f"model: {error.what}")
