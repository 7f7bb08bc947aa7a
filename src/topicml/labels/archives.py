"""``archives.toml``: the public archives that labels by reference point into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from topicml.errors import LabelError
from topicml.labels.normal_form import TEXT_KINDS, TextKind
from topicml.labels.references import REPOSITORY
from topicml.toml import read_toml

ARCHIVES = "archives.toml"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_URL = re.compile(r"(https|file)://[!-~]+\Z")
_KEYS = ("repository", "url", "commit", "licence", "attribution", "text")


@dataclass(frozen=True, slots=True)
class Archive:
    """A public repository of documents, pinned.

    Attributes:
        repository: Owner and name, as pointers have it.
        url: To clone from; ``https://`` or ``file://``.
        commit: Full hash of the commit whose files the pointers count in.
        licence: Of the documents.
        attribution: Whose they are.
        text: How a file becomes text; see ``normal_form``.
    """

    repository: str
    url: str
    commit: str
    licence: str
    attribution: str
    text: TextKind


def read_archives(path: Path) -> dict[str, Archive]:
    """Return the archives of a file by repository.

    Raises:
        LabelError: The file is missing, not TOML, or an entry is not right.
    """
    hint = "It lists the archives of labels by reference; give another with --archives."
    entries = read_toml(path, LabelError, hint).get("archives")
    if not isinstance(entries, list) or not entries:
        raise _wrong(path, "no archives", "Write one [[archives]] table for each.")
    archives = [_archive(entry, path) for entry in entries]
    by_repository = {archive.repository: archive for archive in archives}
    if len(by_repository) < len(archives):
        raise _wrong(path, "an archive is listed twice", "Remove one of them.")
    return by_repository


def _archive(entry: Any, path: Path) -> Archive:
    if not isinstance(entry, dict) or sorted(entry) != sorted(_KEYS):
        raise _wrong(path, "an archive's keys are not right", f"It has: {', '.join(_KEYS)}.")
    if not all(isinstance(value, str) for value in entry.values()):
        raise _wrong(path, f"{entry['repository']!r} has a value that is no string", "Quote it.")
    rules = {
        "repository": (REPOSITORY.match(entry["repository"]), "an owner and a name, owner/name"),
        "url": (_URL.match(entry["url"]), "an https:// or file:// address"),
        "commit": (_COMMIT.match(entry["commit"]), "a full hash, 40 hexadecimal digits"),
        "text": (entry["text"] in TEXT_KINDS, f"one of {', '.join(TEXT_KINDS)}"),
    }
    for key, (is_right, expected) in rules.items():
        if not is_right:
            raise _wrong(path, f"{key!r} is {entry[key]!r}", f"It must be {expected}.")
    return Archive(**cast("dict[str, Any]", entry))


def _wrong(path: Path, what: str, hint: str) -> LabelError:
    return LabelError(what, where=path, hint=hint)
