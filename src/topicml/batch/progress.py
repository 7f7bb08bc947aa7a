"""How far a batch run is, and who is told."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from topicml.batch.summary import Counts
from topicml.io.records import Reject


class Progress(NamedTuple):
    """How far a run is: bytes read of the inputs, bytes in all (None if not known), counts."""

    bytes_read: int
    total_bytes: int | None
    counts: Counts
    is_resumed: bool


class ProgressReporter(Protocol):
    """Told how a run goes."""

    def update(self, progress: Progress) -> None:
        """Take in how far the run is."""

    def note(self, line: str) -> None:
        """Take in a line that is worth reading, such as what was skipped."""

    def reject(self, reject: Reject) -> None:
        """Take in a rejected record that no file takes."""
