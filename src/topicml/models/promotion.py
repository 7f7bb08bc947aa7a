"""Which version of a model is in use: changed only to one that verifies."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from topicml.errors import ModelError
from topicml.models.folder import verify_model
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


def promote_version(store: ModelStore, name: str, version: str) -> Change:
    """Make a version the current one, after verifying all of it.

    Raises:
        ModelError: No such version, or it is damaged; the current one stays.
        OutputError: The store cannot be written to; the current one stays.
    """
    _verify(store.folder(name, version), name, version)
    before = store.current(name)
    store.set_current(name, version)
    return Change(name, before, version)


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
