"""Counts over stories, in sums that add up: memory is taken by periods and sources alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from topicml.errors import InputError
from topicml.report.trends_dates import Day, read_day
from topicml.report.trends_records import Story


@dataclass(slots=True)
class TopicSums:
    """Of one topic, over stories: those with it, its sentences y, y squared, y by sentences."""

    stories: int = 0
    sentences: int = 0
    squares: int = 0
    products: int = 0


@dataclass(slots=True)
class Sums:
    """Over stories: how many, how many have sentences, the sentences m, and m squared."""

    stories: int = 0
    with_sentences: int = 0
    sentences: int = 0
    squares: int = 0
    topics: dict[str, TopicSums] = field(default_factory=dict)

    def add(self, story: Story) -> None:
        """Count a story."""
        sentences = story.sentences or 0
        self.stories += 1
        self.with_sentences += sentences > 0
        self.sentences += sentences
        self.squares += sentences**2
        for topic, tagged in story.tagged.items():
            sums = self.topics.setdefault(topic, TopicSums())
            sums.stories += 1
            sums.sentences += tagged
            sums.squares += tagged**2
            sums.products += tagged * sentences

    def __iadd__(self, other: Sums) -> Sums:
        self.stories += other.stories
        self.with_sentences += other.with_sentences
        self.sentences += other.sentences
        self.squares += other.squares
        for topic, added in other.topics.items():
            sums = self.topics.setdefault(topic, TopicSums())
            sums.stories += added.stories
            sums.sentences += added.sentences
            sums.squares += added.squares
            sums.products += added.products
        return self


@dataclass(frozen=True, slots=True)
class Choice:
    """What is counted, and how.

    Attributes:
        date_field: Field with the date.
        date_format: Of dates; None for the common ones.
        source_field: Field with the source; None for the host of the address, or the file.
        model: Only results of this one, ``name@version``; None where there is only one.
        since: First day; None for no such limit.
        until: Last day.
        needs_sentences: Whether sentences are counted.
    """

    date_field: str = "date"
    date_format: str | None = None
    source_field: str | None = None
    model: str | None = None
    since: Day | None = None
    until: Day | None = None
    needs_sentences: bool = False


@dataclass(slots=True)
class Counts:
    """What was counted.

    Attributes:
        model: ``name@version``; empty before the first story.
        all: Of all stories.
        days: By date, as exactly as it is known, of stories with a date.
        sources: By source.
        records: Read.
        copies: Near copies of others, which are not counted.
        names_copies: Whether any record says whether it is one.
        undated: Stories without a date that can be told.
        unread_dates: The first few values that are none.
        has_date_field: Whether any story has the field.
        outside: Stories before or after the days that were asked for.
        others: By model, stories of another one than was asked for.
        second: Stories that a second model had a part in.
    """

    model: str = ""
    all: Sums = field(default_factory=Sums)
    days: dict[Day, Sums] = field(default_factory=dict)
    sources: dict[str, Sums] = field(default_factory=dict)
    records: int = 0
    copies: int = 0
    names_copies: bool = False
    undated: int = 0
    unread_dates: list[str] = field(default_factory=list)
    has_date_field: bool = False
    outside: int = 0
    others: Counter[str] = field(default_factory=Counter)
    second: int = 0


_MOST_SHOWN = 3
_LONGEST_SHOWN = 40


def count_stories(
    stories: Iterable[Story], choice: Choice, advance: Callable[[], None] = lambda: None
) -> Counts:
    """Count stories by day and by source, near copies once.

    Raises:
        InputError: They are of two models, or a record does not say how many sentences it has.
    """
    counts = Counts()
    for story in stories:
        advance()
        counts.records += 1
        if choice.model and story.model != choice.model:
            counts.others[story.model] += 1
            continue
        _check_model(counts, story)
        if "duplicate_of" in story.fields:
            counts.names_copies = True
            if story.fields["duplicate_of"]:
                counts.copies += 1
                continue
        if choice.needs_sentences and story.sentences is None:
            raise InputError(
                "this record does not say how many sentences it has",
                where=story.place,
                hint="Tag with --detail sentence, or count with --unit story.",
            )
        _count(story, choice, counts)
    return counts


def _check_model(counts: Counts, story: Story) -> None:
    if counts.model and story.model != counts.model:
        raise InputError(
            f"results of two models, {counts.model} and {story.model}",
            where=story.place,
            hint="What one gives and the other does not would look like a trend. "
            f"Report one of them: --model {counts.model}",
        )
    counts.model = story.model


def _count(story: Story, choice: Choice, counts: Counts) -> None:
    value = story.value(choice.date_field)
    day = read_day(value, choice.date_format)
    if _is_outside(day, choice):
        counts.outside += 1
        return
    counts.has_date_field |= value is not None
    if day is None:
        counts.undated += 1
        if value is not None and len(counts.unread_dates) < _MOST_SHOWN:
            counts.unread_dates.append(str(value)[:_LONGEST_SHOWN])
    else:
        counts.days.setdefault(day, Sums()).add(story)
    counts.second += bool(story.fields.get("second_opinion"))
    counts.sources.setdefault(_source(story, choice), Sums()).add(story)
    counts.all.add(story)


def _is_outside(day: Day | None, choice: Choice) -> bool:
    """Whether a story is not of the days that were asked for; one without a date is not, too."""
    if choice.since is None and choice.until is None:
        return False
    if day is None:
        return True
    return bool(
        (choice.since and day < choice.since[: len([p for p in day if p])])
        or (choice.until and day[: len([p for p in choice.until if p])] > choice.until)
    )


NO_SOURCE = "(none)"


def _source(story: Story, choice: Choice) -> str:
    if choice.source_field is None:
        return story.host or story.file
    value = story.value(choice.source_field)
    return NO_SOURCE if value in (None, "") else str(value)
