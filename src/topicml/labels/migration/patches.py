"""What a migration changes in files, as lines, so that it can be done, done again and undone."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Hunk = tuple[int, list[str], list[str]]
"""Lines before it in the old file, lines that go, lines that come."""


@dataclass(frozen=True, slots=True)
class Side:
    """A file's content, by size in bytes and SHA-256."""

    size: int
    sha256: str

    def begins(self, data: bytes) -> bool:
        """Whether content is this one, or this one with something behind it."""
        return len(data) >= self.size and _sha256(data[: self.size]) == self.sha256


@dataclass(frozen=True, slots=True)
class Patch:
    """What is changed in a file.

    Attributes:
        path: The file, from the folder of the taxonomy.
        before: The file as it was.
        after: The file as it is made.
        hunks: In order, none empty.
    """

    path: str
    before: Side
    after: Side
    hunks: tuple[Hunk, ...]

    @property
    def reverse(self) -> Patch:
        """The patch that takes it back."""
        hunks, shift = [], 0
        for line, old, new in self.hunks:
            hunks.append((line + shift, new, old))
            shift += len(new) - len(old)
        return Patch(self.path, self.after, self.before, tuple(hunks))

    def apply(self, data: bytes) -> bytes | None:
        """Return a file's content with the change made, or None where it is another file by now.

        What was added behind it stays. So does what changed between lines that are to be
        replaced one for one, while these are where they were.
        """
        if self.before.begins(data):
            body, tail = data[: self.before.size], data[self.before.size :]
            return _replaced(body, self.hunks) + tail
        if all(len(old) == len(new) for _, old, new in self.hunks) and self._fits(data):
            return _replaced(data, self.hunks)
        return None

    def _fits(self, data: bytes) -> bool:
        lines = _lines(data)
        return all(lines[line : line + len(old)] == old for line, old, _ in self.hunks)

    def to_fields(self) -> dict[str, Any]:
        """Return the patch as it stands in a file of JSON."""
        sides = {"before": self.before, "after": self.after}
        described = {k: {"size": s.size, "sha256": s.sha256} for k, s in sides.items()}
        return {"path": self.path, **described, "hunks": self.hunks}

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Patch:
        """Return a patch from what ``to_fields`` gave."""
        hunks = tuple((line, old, new) for line, old, new in fields["hunks"])
        before, after = Side(**fields["before"]), Side(**fields["after"])
        return cls(fields["path"], before, after, hunks)


def patch_of(path: str, before: bytes, after: bytes) -> Patch:
    """Return what makes of one content, in UTF-8, another."""
    old, new = _lines(before), _lines(after)
    same_length = len(old) == len(new)
    hunks = _line_hunks(old, new) if same_length else _block_hunks(old, new)
    return Patch(path, _side(before), _side(after), tuple(hunks))


def _line_hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    pairs = enumerate(zip(old, new, strict=True))
    return [(number, [was], [now]) for number, (was, now) in pairs if was != now]


def _block_hunks(old: list[str], new: list[str]) -> list[Hunk]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        (i1, old[i1:i2], new[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _replaced(data: bytes, hunks: Sequence[Hunk]) -> bytes:
    lines = _lines(data)
    for line, old, new in reversed(hunks):
        lines[line : line + len(old)] = new
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\n")


def _side(data: bytes) -> Side:
    return Side(len(data), _sha256(data))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
