"""Which backend scores: the reference scorer for a few texts, the compiled kernel for many."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from topicml import compiling
from topicml.scoring import compiler
from topicml.scoring.features import FeatureBlock, Floats, Integers
from topicml.scoring.reference import ReferenceScorer

if TYPE_CHECKING:
    from topicml.scoring.compiled import CompiledScorer

BULK = 1_000_000
"""Bytes of text after which it pays to load numba and code that an earlier process compiled."""
BULK_TO_COMPILE = 12_000_000
"""The same where no process has compiled the kernel yet."""

Backend = Literal["reference", "compiled"]
_STARTING = threading.Lock()  # of all models: one kernel is compiled, and once


def backend_for(size: int | None) -> Backend:
    """Return what is to score so many bytes of text; None for an unknown number, likely many.

    One choice for a whole input gives the same last digits however it is cut.
    """
    if (size is not None and size < BULK) or not compiling.is_usable():
        return "reference"
    is_worth_compiling = size is None or size >= BULK_TO_COMPILE
    return "compiled" if is_worth_compiling or compiler.is_compiled_kept() else "reference"


class Backends:
    """The two backends of one model; may be used by many threads at once.

    Args:
        blocks: At most one of words and at most one of characters.
    """

    uses_all_cores = False

    def __init__(self, blocks: Sequence[FeatureBlock]) -> None:
        self._blocks = blocks
        self.choice: Backend | Literal["auto"] = "auto"  # of the next calls; see Scorer.use
        self._bytes_seen = 0
        self._reference = ReferenceScorer(blocks)
        self._compiled: CompiledScorer | None = None

    @property
    def current(self) -> Backend:
        """The backend that the next call takes."""
        is_wanted = self.choice == "compiled"
        if self.choice == "auto":
            is_wanted = self._compiled is not None or self._is_bulk()
        return "compiled" if is_wanted and compiling.is_usable() else "reference"

    def _is_bulk(self) -> bool:
        if self._bytes_seen < BULK or not compiling.is_usable():
            return False
        return self._bytes_seen >= BULK_TO_COMPILE or compiler.is_compiled_kept()

    def score(
        self, buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[Floats, Integers]:
        """Score n texts.

        Args:
            buffer: UTF-8 bytes.
            starts: n places inside of it.
            ends: n places inside of it, none before its start.

        Returns:
            n by T + 1 log-odds without the intercepts, and n by 5 counts: words, words that
            are terms, runs of letters, letters, Latin letters.
        """
        self._bytes_seen += int((ends - starts).sum())
        if self.current == "reference":
            return self._reference.score(buffer.data, starts, ends)
        return self._start_compiled().score(buffer, starts, ends)

    def use_full_precision(self) -> bool:
        """Return False: nothing here is computed in less."""
        return False

    @property
    def bytes_per_second(self) -> float | None:
        """None: it is fast, and not measured."""
        return None

    def use_threads(self, count: int) -> None:
        """Do nothing: one core is what it computes on."""

    def _start_compiled(self) -> CompiledScorer:
        from topicml.scoring.compiled import CompiledScorer

        with _STARTING:
            if self._compiled is None:
                self._compiled = CompiledScorer(self._blocks)
            return self._compiled
