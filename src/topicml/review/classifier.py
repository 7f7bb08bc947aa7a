"""Models that stay open, and what tags with them, by many threads at once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.review.settings import Settings
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Unit
from topicml.text.document import Document

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
            TopicmlError: There is no such model, it is damaged, or this machine cannot use it.
        """
        path = self._store.find(reference or self._default)
        return self._opened.get(path) or self._open(path)

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
            TopicmlError: See ``model`` and ``make_tagger``.
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

    Attributes:
        count: How many there are.
    """

    def __init__(self) -> None:
        self.count = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.count, "worker")

    async def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)
