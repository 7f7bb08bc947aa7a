"""How far a long training is, as it tells whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What is done now, and how far it is.

    Attributes:
        name: As a person reads it.
        done: Of ``total``.
        total: Steps, fits or sentences.
    """

    name: str
    done: int
    total: int


OnStep = Callable[[Step], None]


def counting(name: str, total: int, on_step: OnStep) -> Callable[[], None]:
    """Tell of a step that nothing of it is done; return what to call after each part."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        on_step(Step(name, done, total))

    on_step(Step(name, 0, total))
    return advance
