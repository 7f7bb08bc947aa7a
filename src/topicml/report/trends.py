"""Topics over time and by source, from counts: the rows of every table and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from topicml.errors import InputError, check_known
from topicml.report.trends_counts import Choice, Counts, Sums, TopicSums
from topicml.report.trends_dates import (
    By,
    Period,
    choose_by,
    count_periods,
    period_of,
    periods_between,
)
from topicml.report.trends_errors import ModelErrors
from topicml.report.trends_notes import notes_on_counts, notes_on_errors, why_none
from topicml.report.trends_rates import (
    NOTHING,
    SentenceSums,
    Share,
    corrected,
    design_effect,
    share_of_sentences,
    share_of_stories,
    why_not_corrected,
    why_of_others,
)

Unit = Literal["story", "sentence"]
Axis = Literal["all", "time", "source"]

OTHER = "other"
MOST_PERIODS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """A topic among all stories, or those of a period or a source.

    Attributes:
        axis: Which of the three.
        label: Period or source.
        start: First day of the period, as in ISO 8601; empty for none.
        topic: Its id.
        stories: How many there are.
        n: Stories, or their sentences.
        count: Of them have the topic.
        share: With its interval.
        corrected: For the model's errors; ``NOTHING`` where it is not.
    """

    axis: Axis
    label: str
    start: str
    topic: str
    stories: int
    n: int
    count: int
    share: Share
    corrected: Share


@dataclass(frozen=True, slots=True)
class Trends:
    """All that is shown.

    Attributes:
        model: ``name@version``.
        unit: What is counted.
        by: What a period is; None where no story has a date.
        topics: Those that are shown.
        periods: From the first to the last, those without a story too.
        sources: Those that are shown, the largest first; ``OTHER`` last where there are more.
        rows: All, then by period, then by source; by topic in each.
        reasons: By topic, why its shares are not corrected.
        errors: Of the model.
        counts: What they are made of.
        notes: What a reader must know, a sentence each.
    """

    model: str
    unit: Unit
    by: By | None
    topics: tuple[str, ...]
    periods: tuple[Period, ...]
    sources: tuple[str, ...]
    rows: tuple[Row, ...]
    reasons: Mapping[str, str]
    errors: ModelErrors
    counts: Counts
    notes: tuple[str, ...]

    @property
    def is_corrected(self) -> bool:
        """Whether the shares of any topic are corrected."""
        return any(topic not in self.reasons for topic in self.topics)

    def of(self, axis: Axis, topic: str) -> list[Row]:
        """Return a topic's rows of one axis, in order."""
        return [row for row in self.rows if row.axis == axis and row.topic == topic]


def make_trends(
    counts: Counts,
    choice: Choice,
    errors: ModelErrors,
    *,
    unit: Unit = "story",
    by: By | None = None,
    topics: Sequence[str] = (),
    most_sources: int = 12,
    filtered: int = 0,
) -> Trends:
    """Return the rows of all tables and plots.

    Args:
        counts: Of stories.
        choice: How they were counted.
        errors: Of the model.
        unit: What shares are of.
        by: What a period is; None to choose by the span.
        topics: To be shown; all for none.
        most_sources: That are shown by name.
        filtered: Records that runs have left out of their results.

    Raises:
        InputError: There is no story, a topic is not the model's, or there are too many periods.
    """
    if not counts.all.stories:
        raise InputError("no story to report", hint=why_none(counts))
    shown = _choose_topics(counts, errors, topics)
    effects = {topic: design_effect(_sums_of(counts.all, topic)) for topic in shown}
    reasons = _reasons(shown, unit, counts, errors)
    by, cells = _by_period(counts, by)
    sources = _by_source(counts, most_sources)
    axes: list[tuple[Axis, str, str, Sums]] = [("all", "all", "", counts.all)]
    axes += [("time", period.label, period.start.isoformat(), cells[period]) for period in cells]
    axes += [("source", name, "", sums) for name, sums in sources.items()]
    rows = [
        _row(
            *(axis, label, start, topic, sums, unit, effects[topic]),
            None if topic in reasons else errors,
        )
        for axis, label, start, sums in axes
        for topic in shown
    ]
    placed = sum(sums.stories for sums in cells.values())
    notes = [
        *notes_on_counts(counts, choice, by, placed, filtered),
        *notes_on_errors(errors.rates, reasons, len(shown)),
    ]
    return Trends(
        model=counts.model,
        unit=unit,
        by=by,
        topics=shown,
        periods=tuple(cells),
        sources=tuple(sources),
        rows=tuple(rows),
        reasons=reasons,
        errors=errors,
        counts=counts,
        notes=tuple(notes),
    )


def _choose_topics(counts: Counts, errors: ModelErrors, asked: Sequence[str]) -> tuple[str, ...]:
    known = errors.topics or tuple(sorted(counts.all.topics))
    known += tuple(sorted(counts.all.topics.keys() - {*known}))
    check_known(asked, known)
    return tuple(topic for topic in known if topic in asked) if asked else known


def _reasons(
    topics: Sequence[str], unit: Unit, counts: Counts, errors: ModelErrors
) -> dict[str, str]:
    """Return, by topic, why its shares are not corrected."""
    whole = ""
    if unit == "story":
        whole = "errors are known of single sentences, not of stories (see --unit sentence)"
    elif counts.second:
        whole = "a second model had a part in the tags, and the errors of the two are not known"
    elif errors.missing:
        whole = errors.missing
    if whole:
        return dict.fromkeys(topics, whole)
    reasons = {}
    for topic in topics:
        rates = errors.rates.get(topic)
        if rates is None:
            reasons[topic] = "no error rates are stated of it"
        elif why := why_not_corrected(rates) or why_of_others(
            share_of_sentences(_sums_of(counts.all, topic)), rates
        ):
            reasons[topic] = why
    return reasons


def _by_period(counts: Counts, by: By | None) -> tuple[By | None, dict[Period, Sums]]:
    if not counts.days:
        return None, {}
    by = by or choose_by(min(counts.days), max(counts.days))
    known = {day: found for day in counts.days if (found := period_of(day, by))}
    if not known:
        return by, {}
    first, last = min(known.values()), max(known.values())
    if count_periods(first, last, by) > MOST_PERIODS:
        raise InputError(
            f"more than {MOST_PERIODS:,} periods from {first.label} to {last.label}",
            hint="Name longer ones with --by, or leave wrong dates out with --since and --until.",
        )
    cells = {period: Sums() for period in periods_between(first, last, by)}
    for day, period in known.items():
        cells[period] += counts.days[day]
    return by, cells


def _by_source(counts: Counts, most: int) -> dict[str, Sums]:
    ranked = sorted(counts.sources, key=lambda name: (-counts.sources[name].stories, name))
    most += len(ranked) == most + 1  # one alone is no group
    shown = {name: counts.sources[name] for name in ranked[:most]}
    if rest := ranked[most:]:
        other = Sums()
        for name in rest:
            other += counts.sources[name]
        shown[f"{OTHER} ({len(rest):,})"] = other
    return shown


def _row(
    axis: Axis,
    label: str,
    start: str,
    topic: str,
    sums: Sums,
    unit: Unit,
    effect: float | None,
    errors: ModelErrors | None,
) -> Row:
    share = _share(sums, topic, unit, effect)
    after = corrected(share, errors.rates[topic]) if errors else NOTHING
    found = sums.topics.get(topic, TopicSums())
    n, count = (
        (sums.stories, found.stories) if unit == "story" else (sums.sentences, found.sentences)
    )
    return Row(axis, label, start, topic, sums.stories, n, count, share, after)


def _share(sums: Sums, topic: str, unit: Unit, effect: float | None = None) -> Share:
    if unit == "sentence":
        return share_of_sentences(_sums_of(sums, topic), effect)
    return share_of_stories(sums.topics.get(topic, TopicSums()).stories, sums.stories)


def _sums_of(sums: Sums, topic: str) -> SentenceSums:
    found = sums.topics.get(topic, TopicSums())
    return SentenceSums(
        tagged=found.sentences,
        sentences=sums.sentences,
        stories=sums.with_sentences,
        tagged_squares=found.squares,
        squares=sums.squares,
        products=found.products,
    )
