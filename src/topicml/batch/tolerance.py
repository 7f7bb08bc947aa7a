"""How many rejected records a run puts up with."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from topicml.errors import TopicmlError
from topicml.io.records import list_counts

_FEWEST = 100  # records of which a share says something before all are read


class TooManyRejectsError(TopicmlError):
    """More records were rejected than a run was to put up with."""


class MaxRejects(NamedTuple):
    """A number of records, or a share of those that were read.

    Attributes:
        most: Rejected records, or percent.
        is_share: Whether it is percent.
    """

    most: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> MaxRejects:
        """Return what ``100`` or ``2.5%`` says.

        Raises:
            ValueError: It is neither a whole number nor a percentage up to 100.
        """
        found = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)%", text, re.ASCII)
        if not found or float(found[2] or 0) > 100:
            raise ValueError(text)
        return cls(float(found[1] or found[2]), found[2] is not None)

    def __str__(self) -> str:
        return f"{self.most:g}%" if self.is_share else f"{self.most:.0f}"

    def is_exceeded(self, rejected: int, read: int, *, at_end: bool) -> bool:
        """Whether so many rejected of so many read are more than this."""
        if not self.is_share:
            return rejected > self.most
        return (at_end or read >= _FEWEST) and rejected * 100 > self.most * read


def check_rejects(
    rejects: Counter[str],
    read: int,
    most: MaxRejects | None,
    *,
    at_end: bool,
    kept: Path | None = None,
) -> None:
    """Make sure that a run has not gone wrong as a whole.

    Args:
        rejects: Rejected records so far, by reason.
        read: All records so far.
        most: Rejected records that it puts up with; None for any number but all.
        at_end: Whether all was read.
        kept: File with the rejected records, where the run can go on.

    Raises:
        TooManyRejectsError: Too many records were rejected, or, at the end, every one.
    """
    rejected = rejects.total()
    reasons = list_counts(dict(rejects.most_common()))
    hint = f"They are in {kept}. " if kept else ""
    if at_end and 0 < rejected == read:
        hint += "Repair the input or the options, and start over with --force." if kept else ""
        raise TooManyRejectsError(f"every record was rejected: {reasons}", hint=hint)
    if most and most.is_exceeded(rejected, read, at_end=at_end):
        what = f"{rejected:,} of {read:,} records were rejected, more than {most}: {reasons}"
        hint += "With a higher --max-rejects the run goes on where it was." if kept else ""
        raise TooManyRejectsError(what, hint=hint)
