"""What a new model must not lose to take the place of another: ``gate.toml``.

    [gate]
    micro_f1 = -0.005          # smallest difference allowed, new less old
    false_tag_rate = 0.01      # largest rise allowed
    topic_f1 = -0.05           # smallest difference of every topic that is common enough
    topic_support = 20         # in the compared sentences, to be common enough

    [gate.floors]              # smallest F1 of the new model, by topic
    diplomacy = 0.6

What a file does not name is not held to anything. The gate of a name is ``gate.toml`` beside its
versions, or, where there is none, ``DEFAULT_GATE``. Limits are held against the differences
themselves, not against the ends of their intervals.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from topicml.errors import ModelError, did_you_mean
from topicml.models.store import ModelStore
from topicml.toml import read_toml

GATE = "gate.toml"
SMALLEST = ("accuracy", "micro_f1", "macro_f1", "macro_average_precision")
LARGEST = ("false_tag_rate", "expected_calibration_error")
_TOPIC_F1, _TOPIC_SUPPORT, _FLOORS = "topic_f1", "topic_support", "floors"
_KEYS = (*SMALLEST, *LARGEST, _TOPIC_F1, _TOPIC_SUPPORT, _FLOORS)


@dataclass(frozen=True, slots=True)
class Check:
    """One limit, and what was found; ``passed`` is None where nothing could be measured.

    Attributes:
        what: The figure, or a topic's.
        found: Its difference, or the F1 that a floor is for.
        limit: Of the gate.
        settled: Whether the whole interval is on the same side of the limit.
    """

    what: str
    found: float | None
    limit: float
    passed: bool | None
    settled: bool | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Limits by figure, for every topic, and floors by topic."""

    limits: Mapping[str, float] = field(default_factory=dict)
    topic_f1: float | None = None
    topic_support: int = 20
    floors: Mapping[str, float] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of what it demands, however that is written."""
        text = json.dumps(asdict(self), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def check(
        self, figures: Mapping[str, Mapping[str, Any]], topics: Mapping[str, Mapping[str, Any]]
    ) -> list[Check]:
        """Hold differences against the limits.

        Args:
            figures: ``difference``, ``low`` and ``high`` by figure; one that the scheme's kind
                does not have is not measured.
            topics: By topic ``support`` and ``f1``; the latter as a figure, with ``new``.
        """
        checks = [
            _check(name, figures.get(name, {}), limit, falls=name in SMALLEST)
            for name, limit in self.limits.items()
        ]
        if self.topic_f1 is not None:
            checks += [
                _check(f"F1 of {topic}", row["f1"], self.topic_f1, falls=True)
                for topic, row in topics.items()
                if row["support"] >= self.topic_support
            ]
        for topic, floor in self.floors.items():
            found = topics[topic]["f1"]["new"]
            passed = None if found is None else found >= floor
            checks.append(Check(f"floor of {topic}", found, floor, passed))
        return checks


DEFAULT_GATE = Gate({"micro_f1": -0.005, "macro_f1": -0.01, "false_tag_rate": 0.01}, topic_f1=-0.05)


def gate_of(store: ModelStore, name: str, file: Path | None = None) -> Gate:
    """Return the gate of a file, or of a name, or the default one.

    Raises:
        ModelError: The file is missing, or is no gate.
    """
    own = store.name_folder(name) / GATE
    if file is None and not own.exists():
        return DEFAULT_GATE
    return read_gate(file or own)


def read_gate(path: Path) -> Gate:
    """Read a gate file.

    Raises:
        ModelError: It is missing, or has something else than limits.
    """
    fields = read_toml(path, ModelError, _HINT)
    gate = fields.get("gate")
    if not isinstance(gate, dict) or len(fields) > 1:
        raise ModelError("a gate has one table, [gate]", where=path, hint=_HINT)
    for key in gate:
        if key not in _KEYS:
            hint = f"{did_you_mean(key, _KEYS)}Known: {', '.join(_KEYS)}."
            raise ModelError(f"unknown limit {key!r}", where=path, hint=hint)
    floors = gate.get(_FLOORS, {})
    if not isinstance(floors, dict):
        raise ModelError("floors are a table, [gate.floors]", where=path, hint=_HINT)
    support = gate.get(_TOPIC_SUPPORT, 20)
    for key, value in {**gate, **floors, _FLOORS: 0}.items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ModelError(f"{key} is {value!r}, not a number", where=path, hint=_HINT)
    for topic, floor in floors.items():
        if not 0 <= floor <= 1:
            what = f"the floor of {topic} is {floor!r}, and an F1 is from 0 to 1"
            raise ModelError(what, where=path, hint=_HINT)
    if type(support) is not int or support < 0:
        raise ModelError(f"{_TOPIC_SUPPORT} is no count", where=path, hint=_HINT)
    if not set(gate) - {_TOPIC_SUPPORT} or gate == {_FLOORS: {}}:
        raise ModelError("the gate has no limit", where=path, hint=_HINT)
    return Gate(
        {name: float(gate[name]) for name in (*SMALLEST, *LARGEST) if name in gate},
        float(gate[_TOPIC_F1]) if _TOPIC_F1 in gate else None,
        support,
        {topic: float(floor) for topic, floor in floors.items()},
    )


_HINT = "See docs/retraining.md for what a gate holds."


def _check(what: str, row: Mapping[str, Any], limit: float, *, falls: bool) -> Check:
    found = row.get("difference")
    if found is None:
        return Check(what, None, limit, None)
    sign = 1 if falls else -1
    passed = sign * (found - limit) >= -1e-12  # of rounding
    if row["low"] is None:
        return Check(what, found, limit, passed)
    ends = [sign * (end - limit) >= 0 for end in (row["low"], row["high"])]
    return Check(what, found, limit, passed, ends == [passed, passed])
