"""The errors a user can cause or meet; everything else stays a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any


class TopicmlError(Exception):
    """An expected failure: what happened, where, and what to do about it.

    Args:
        what: One clause that says what is wrong.
        where: The file, record or setting it is about, e.g. ``train.jsonl:41``.
        hint: What the user can do.
    """

    def __init__(self, what: str, *, where: str | Path | None = None, hint: str = "") -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint
        super().__init__(what, where, hint)

    def __reduce__(self) -> tuple[Any, ...]:
        # keyword arguments do not survive the default; worker processes send errors back
        return partial(type(self), where=self.where, hint=self.hint), (self.what,)

    def __str__(self) -> str:
        head = self.what if self.where is None else f"{self.where}: {self.what}"
        return f"{head}. {self.hint}" if self.hint else head


class InputError(TopicmlError):
    """A text, file or record given to be tagged cannot be read."""


class OutputError(TopicmlError):
    """A file cannot be written."""


class RemoteError(TopicmlError):
    """An object of object storage or of a web server cannot be reached."""


class TaxonomyError(TopicmlError):
    """A taxonomy file breaks its own rules."""


class LabelError(TopicmlError):
    """A label file or an annotation is not usable."""


class ModelError(TopicmlError):
    """A model folder is missing, damaged, or of another format."""


class MissingExtraError(TopicmlError):
    """A command needs packages of an extra, or what they work on, and it is not installed."""


class TrainingError(TopicmlError):
    """The labels given cannot be trained or evaluated on."""


class WorkerError(TopicmlError):
    """A process that worked for a run was killed."""


class RecordError(Exception):
    """A record that cannot be tagged, or an input that cannot be read: it becomes a reject.

    Attributes:
        reason: One of ``io.records.REASONS``.
        detail: What exactly is wrong, and what to do where that helps.
        id: The record's own id, set where it is known.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        self.id: str | None = None
        super().__init__(reason, detail)


def check_known(
    topics: Iterable[str],
    known: Sequence[str],
    where: str | Path | None = None,
    error: type[TopicmlError] = InputError,
) -> None:
    """Raise an error that names the first of some topics that is none of those known."""
    for topic in topics:
        if topic not in known:
            hint = f"{did_you_mean(topic, known)}Known topics: {', '.join(known)}"
            raise error(f"unknown topic {topic!r}", where=where, hint=hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'? `` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}? " if near else ""
