"""Which version of a model is in use: changed to one that verifies and was compared with it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from topicml.errors import ModelError
from topicml.models.comparisons import last_comparison
from topicml.models.folder import verify_model
from topicml.models.gate import Gate, gate_of
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore


class Change(NamedTuple):
    """What was in use, and what is: the same where nothing changed.

    Attributes:
        name: Model name.
        before: The version that was current, None where none was.
        after: The version that is current.
    """

    name: str
    before: str | None
    after: str


def promote_version(
    store: ModelStore, name: str, version: str, *, gate: Gate | None = None, force: bool = False
) -> Change:
    """Make a version the current one, after verifying all of it.

    Where another one is current, the two must have been compared (``models.compare``), and the
    latest comparison under the gate must have found that its limits are kept.

    Args:
        store: Where the versions are.
        name: Model name.
        version: To make current.
        gate: The limits; for None those of the name, see ``gate_of``.
        force: Promote it whatever a comparison found, and without one.

    Raises:
        ModelError: No such version, it is damaged, or it was not compared or was refused; the
            current one stays.
        OutputError: The store cannot be written to; the current one stays.
    """
    _verify(store.folder(name, version), name, version)
    before = store.current(name)
    if not force and before != version and before in store.versions(name):
        _check_compared(store, name, before, version, gate or gate_of(store, name))
    store.set_current(name, version)
    return Change(name, before, version)


def _check_compared(store: ModelStore, name: str, old: str, new: str, gate: Gate) -> None:
    before, after = (read_manifest(store.path(name, v))["manifest_sha256"] for v in (old, new))
    found = last_comparison(store.name_folder(name), before, after, gate.sha256)
    again = f"topicml compare {name}@{old} {name}@{new}"
    if found is None:
        raise ModelError(
            f"{name}@{new} was not compared with the current {old} under this gate",
            where=store.path(name, new),
            hint=f"Compare them on labels that neither was trained on: {again} --data FILE; "
            "or promote it unseen with --force.",
        )
    if found.get("verdict") != "ok":
        failed = ", ".join(map(str, found.get("failed") or ())) or "the gate"
        judged = ", ".join(map(str, found.get("data") or ())) or "the same labels"
        raise ModelError(
            f"the comparison with the current {old} refused {name}@{new} ({failed})",
            where=store.path(name, new),
            hint=f"See why: {again} --data FILE, of what it was judged by ({judged}); "
            "or promote it all the same with --force.",
        )


def roll_back(store: ModelStore, name: str) -> Change:
    """Go back to the version that was current before; each time one further.

    Raises:
        ModelError: No version was current before, or it is gone or damaged; the current one
            stays.
        OutputError: The store cannot be written to; the current one stays.
    """
    version = store.previous_version(name)
    _verify(store.folder(name, version), name, version)
    before = store.current(name)
    store.return_to_previous(name)
    return Change(name, before, version)


def _verify(path: Path, name: str, version: str) -> None:
    model = verify_model(path)
    if model.reference != f"{name}@{version}":
        raise ModelError(
            f"the folder of {name}@{version} holds {model.reference}",
            where=path,
            hint="Give the folder the name and the version that its manifest has.",
        )
