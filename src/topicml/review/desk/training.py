"""A retraining: a version beside the one in use, a comparison of the two, and what is decided.

Both are the commands that anybody could give, run as a job of the project.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from topicml.errors import LabelError, ModelError, TopicmlError
from topicml.files import write_text
from topicml.models.promotion import Change, promote_version
from topicml.models.store import ModelStore
from topicml.review.desk.jobs import Job, State, read_object

_TRAIN, _COMPARE = 0, 1


@dataclass(frozen=True, slots=True)
class Paths:
    """What a training reads, and where its version goes."""

    labels: tuple[Path, ...]
    taxonomy: Path
    data: tuple[Path, ...] = ()


class Training:
    """The retraining of a project: the one that runs, or the last one.

    Args:
        job: Runs it.
        store: Where the versions are.
        name: Of the model.
        decided: File that says what became of the last version.
    """

    def __init__(self, job: Job, store: ModelStore, name: str, decided: Path) -> None:
        self._job = job
        self._store = store
        self._name = name
        self._decided = decided

    def start(self, paths: Paths, by: str) -> None:
        """Begin to train the next version, and to compare it with the one in use.

        Raises:
            LabelError: There is no label file.
            TopicmlError: A training runs already.
        """
        if not paths.labels:
            raise LabelError("no label files", where=paths.taxonomy.parent, hint="Label some.")
        old, new = self.in_use(), self._store.next_version(self._name)
        common = [
            *(f"--labels={path}" for path in paths.labels),
            *(f"--taxonomy={paths.taxonomy}", f"--models-dir={self._store.root}"),
        ]
        commands = [["train", f"--version={new}", *common]]
        if old:
            data = [f"--data={path}" for path in paths.data or paths.labels]
            references = [f"{self._name}@{version}" for version in (old, new)]
            commands.append(["compare", *references, *common, *data, "--format=json"])
        self._job.start(commands, {"old": old, "new": new, "by": by})

    def cancel(self) -> None:
        """End the training that runs; a version that is made already stays."""
        self._job.cancel()

    def in_use(self) -> str | None:
        """Return the version in use; None where there is none yet."""
        return self._store.in_use(self._name) if self._store.versions(self._name) else None

    def status(self) -> str:
        """Return how it stands, in a word."""
        return self._job.state().status

    def state(self) -> dict[str, Any]:
        """Return how it stands, as plain values."""
        state = self._job.state()
        found: dict[str, Any] = {
            **state.to_dict(),
            "comparison": self._comparison(state),
            "error": _error(state) if state.status == "failed" else "",
            "is_first": bool(state.about) and not state.about.get("old"),
            "in_use": self.in_use(),
            "decision": None,
        }
        decision = read_object(self._decided)
        if decision and decision.get("started") == state.started:
            found["decision"] = decision
        return found

    def promote(self, version: str, by: str) -> Change:
        """Make the new version the one in use.

        Raises:
            ModelError: It is not what was trained last, or the gate refuses it; see
                ``models.promotion``.
        """
        self._check(version)
        change = promote_version(self._store, self._name, version)
        self._decide("promoted", version, by)
        return change

    def keep(self, version: str, by: str) -> None:
        """Write down that the version in use stays.

        Raises:
            ModelError: It is not what was trained last.
        """
        self._check(version)
        self._decide("kept", version, by)

    def _check(self, version: str) -> None:
        state = self._job.state()
        if state.status != "done" or state.about.get("new") != version:
            raise ModelError(
                f"{self._name}@{version} is not what was trained last",
                where=self._store.root,
                hint="Load the page again.",
            )

    def _decide(self, what: str, version: str, by: str) -> None:
        fields = {
            "what": what,
            "version": version,
            "by": by,
            "started": self._job.state().started,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_text(self._decided, json.dumps(fields, ensure_ascii=False))

    def _comparison(self, state: State) -> dict[str, Any] | None:
        if state.status != "done" or not state.about.get("old"):
            return None
        try:
            fields: dict[str, Any] = json.loads(self._job.output(_COMPARE))
        except ValueError as err:
            raise TopicmlError(
                f"the comparison cannot be read ({err})", hint="Train again."
            ) from err
        return fields


def _error(state: State) -> str:
    """Return what a command said last, without the word that it is an error."""
    said = [line for line in state.lines if line.startswith("error: ")]
    last: Sequence[str] = said or [line for line in state.lines if line.strip()]
    return last[-1].removeprefix("error: ") if last else "it ended without a word"
