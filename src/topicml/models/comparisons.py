"""``comparisons.jsonl`` beside the versions of a name: what compared them, and what came of it.

One object a line, the latest last. A version's own folder never changes, so it is no place for
them. A line counts for the very models and limits that its hashes name: models by the hash of
their manifests, which hold those of all their files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from topicml.appending import append_lines
from topicml.errors import ModelError
from topicml.models.manifest import Rule, check_fields, optional

COMPARISONS = "comparisons.jsonl"
_AGAIN = "Remove it, and compare the models again."
_FIELDS: tuple[Rule, ...] = (
    ("data", optional(lambda value: isinstance(value, dict)), "an object"),
    ("old_sha256", optional(lambda value: isinstance(value, str)), "a string"),
)


def record_comparison(folder: Path, comparison: Mapping[str, Any]) -> None:
    """Add a line to the comparisons of a name, whoever else does so now.

    Raises:
        OutputError: The folder cannot be written to.
    """
    line = json.dumps(comparison, ensure_ascii=False, sort_keys=True, allow_nan=False)
    append_lines(folder / COMPARISONS, f"{line}\n".encode())


def last_comparison(folder: Path, old: str, new: str, gate: str) -> dict[str, Any] | None:
    """Return the latest comparison of two models under a gate, all by hash; None without one.

    Raises:
        ModelError: The comparisons cannot be read.
    """
    return next((c for c in _latest_first(folder) if _key(c) == (old, new, gate)), None)


def comparisons_of(folder: Path, model: str) -> list[dict[str, Any]]:
    """Return the comparisons that judged a model, by hash, as the new one; the latest last.

    Raises:
        ModelError: The comparisons cannot be read.
    """
    return [c for c in _latest_first(folder) if c.get("new_sha256") == model][::-1]


def _latest_first(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / COMPARISONS
    for line in reversed(_read(path).splitlines()):
        try:
            fields = json.loads(line)
            failed = fields["failed"]
        except (ValueError, RecursionError, TypeError, KeyError):
            failed = None
        if not isinstance(failed, list) or not all(isinstance(what, str) for what in failed):
            # it may have been the one that counts
            raise ModelError("a damaged comparison", where=path, hint=_AGAIN)
        check_fields(fields, _FIELDS, path, _AGAIN)
        yield {**fields, "verdict": "refused"} if failed else dict(fields)


def _key(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(fields.get(key) for key in ("old_sha256", "new_sha256", "gate_sha256"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as err:
        raise ModelError(f"comparisons cannot be read ({err})", where=path, hint=_AGAIN) from err
