"""What a reader must know of counts and shares, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topicml.io.records import counted
from topicml.report.trends_counts import Choice, Counts
from topicml.report.trends_dates import By
from topicml.training.error_rates import LABELS, ErrorRates

_FILTERED = "Shares are of what is in the results; runs have left out (--only-tagged, --topics)"


def why_none(counts: Counts) -> str:
    """Return why no story was counted."""
    if counts.others:
        return f"All are of another model: {', '.join(sorted(counts.others))}."
    if counts.outside:
        return f"Outside the days that were asked for: {counted(counts.outside, 'story')}."
    return "Check what was given."


def notes_on_counts(
    counts: Counts, choice: Choice, by: By | None, placed: int, filtered: int
) -> Iterator[str]:
    """Yield what is to be known of how stories were counted.

    Args:
        counts: Of stories.
        choice: How they were counted.
        by: What a period is.
        placed: Stories that are in one.
        filtered: Records that runs have left out of their results.
    """
    if filtered:
        yield f"{_FILTERED} {counted(filtered, 'record')}."
    if counts.copies:
        yield f"Not counted: {counted(counts.copies, 'near copy')} of other stories."
    elif not counts.names_copies:
        yield (
            "Near copies are counted as stories of their own: the results do not say which are "
            "(topicml batch --dedupe)."
        )
    if counts.others:
        listed = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.others.items()))
        yield f"Records of other models are left out: {listed}."
    if counts.outside:
        yield f"Left out: {counted(counts.outside, 'story')} outside the days that were asked for."
    if counts.undated:
        yield _undated(counts, choice)
    if coarse := counts.all.stories - counts.undated - placed:
        yield f"{counted(coarse, 'story')} with a date that does not say the {by}."


def _undated(counts: Counts, choice: Choice) -> str:
    said = f"{counted(counts.undated, 'story')} without a date that can be told"
    if not counts.has_date_field:
        return (
            f"{said}: no record has the field {choice.date_field!r} (batch --keep, --date-field)."
        )
    if counts.unread_dates:
        listed = ", ".join(map(repr, counts.unread_dates))
        return f"{said}, such as {listed} (--date-format names another form)."
    return f"{said}."


def notes_on_errors(
    rates: Mapping[str, ErrorRates], reasons: Mapping[str, str], count: int
) -> Iterator[str]:
    """Yield what is to be known of corrections.

    Args:
        rates: That shares are corrected by.
        reasons: By topic, why its shares are not.
        count: Of topics that are shown.
    """
    for reason in dict.fromkeys(reasons.values()):
        which = [topic for topic in reasons if reasons[topic] == reason]
        of = "" if len(which) == count and count > 1 else f" of {', '.join(which)}"
        yield f"Shares{of} are not corrected: {reason}."
    if any(rates[topic].mix == LABELS for topic in rates.keys() - reasons.keys()):
        yield (
            "The error rates are of labelled sentences as they were picked; among others they "
            "may be different."
        )
