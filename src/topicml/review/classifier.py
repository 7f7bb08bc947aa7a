"""Models that stay open, and what tags with them, by many threads at once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from topicml.errors import ModelError
from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.review.problems import Problem
from topicml.review.settings import Settings
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Unit
from topicml.text.document import Document

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
            ModelError: No such model, or it is damaged.
        """
        path = self._store.find(reference or self._default)
        with self._opening:
            if path not in self._opened:
                self._opened[path] = _ready(path)
            return self._opened[path]

    def tag(self, documents: Sequence[Document], asked: Asked) -> list[TaggedArticle]:
        """Tag n documents.

        Raises:
            ModelError: See ``model`` and ``make_tagger``.
        """
        tagger = make_tagger(
            self.model(asked.model),
            threshold=asked.threshold,
            min_precision=asked.min_precision,
            relevance=asked.relevance,
            unit=asked.unit,
        )
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
        self._pool = ThreadPoolExecutor(count, "classify")
        self._most = count + most_waiting
        self._taken = 0

    async def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in one of the threads.

        Raises:
            Problem: Too many calls wait already.
        """
        if self._taken >= self._most:
            raise Problem(429, "too many requests wait already", {"Retry-After": "1"})
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function)
        finally:
            self._taken -= 1


def unusable(error: ModelError) -> Problem:
    """Return the problem of a request for a model that cannot be used, without paths."""
    return Problem(422, f"model: {error.what}")
