"""How far a batch run is, and who is told."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from topicml.batch.summary import Counts
from topicml.io.records import Reject


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        bytes_read: Of the inputs.
        total_bytes: Of all inputs; None where that is not known.
        counts: What was found.
        is_resumed: Whether the run goes on from another.
        seconds: What it has taken, with the runs that it went on from.
    """

    bytes_read: int
    total_bytes: int | None
    counts: Counts
    is_resumed: bool
    seconds: float


class ProgressReporter(Protocol):
    """Told how a run goes."""

    def update(self, progress: Progress) -> None:
        """Take in how far the run is."""

    def note(self, line: str) -> None:
        """Take in a line that is worth reading, such as what was skipped."""

    def reject(self, reject: Reject) -> None:
        """Take in a rejected record that no file takes."""
