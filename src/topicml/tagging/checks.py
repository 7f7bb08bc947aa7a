"""What a sentence must pass to be given a topic, one check at a time, for people to read."""

from __future__ import annotations

from dataclasses import dataclass

from topicml.tagging.abstention import Reason


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a sentence.

    Attributes:
        reason: Why there is no topic where it fails.
        what: What is looked at, in plain words.
        passed: Whether it is passed.
        value: What was found; None where that is no number.
        limit: What must be reached; None where there is no such number.
    """

    reason: Reason
    what: str
    passed: bool
    value: float | None
    limit: float | None
