"""Who is told how a batch run goes, in tests."""

from __future__ import annotations

from topicml.batch.progress import Progress
from topicml.io.records import Reject


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[Progress] = []
        self.notes: list[str] = []
        self.rejects: list[Reject] = []

    def update(self, progress: Progress) -> None:
        self.steps.append(progress)

    def note(self, line: str) -> None:
        self.notes.append(line)

    def reject(self, reject: Reject) -> None:
        self.rejects.append(reject)


class Stopper(Recorder):
    """Stops a run, as Ctrl-C would, after so many blocks."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self._blocks = blocks

    def update(self, progress: Progress) -> None:
        super().update(progress)
        if len(self.steps) == self._blocks:
            raise KeyboardInterrupt
