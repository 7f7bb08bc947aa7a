"""Dates as records have them, and the periods that they fall in."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

By = Literal["day", "week", "month", "quarter", "year"]

_END = r"(?=\Z|[T\s,])"
_ISO = re.compile(rf"(\d{{4}})(?:[-/.](\d{{1,2}})(?:[-/.](\d{{1,2}}))?)?{_END}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?=\Z|T)")
_NUMBERS = re.compile(rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_END}")
_WEEKDAY, _MONTH = r"(?:[A-Za-z]+\.?,\s*)?", r"([A-Za-z]{3,9})\.?,?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?,?"
_DAY_FIRST = re.compile(rf"{_WEEKDAY}(?:{_DAY}\s+)?{_MONTH}\s+(\d{{4}}){_END}")
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+(\d{{4}}){_END}")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SECONDS, _MILLISECONDS = 10**8, 10**11
"""Numbers from which on they are so many of them since 1970."""

_LONGEST: dict[By, int] = {"day": 31, "week": 183, "month": 3 * 366, "quarter": 12 * 366}
"""Days that a span has at most to be shown by so long periods."""


class Day(NamedTuple):
    """A date as exactly as it is known; month and day are 0 where they are not."""

    year: int
    month: int = 0
    day: int = 0


def read_day(value: Any, form: str | None = None) -> Day | None:
    """Return the date that a value says, as it stands there, whatever its time zone.

    Args:
        value: Text or number.
        form: As ``strptime`` has it; None for ISO 8601, RFC 2822, names of months in English,
            seconds or milliseconds since 1970, and numbers such as 31/12/2024, where only one of
            the two can be the month.

    Returns:
        None where there is no date, or it is not plain which.
    """
    if isinstance(value, bool | list | dict) or value is None:
        return None
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    try:
        if form is not None:
            return Day(*datetime.datetime.strptime(text, form).timetuple()[:3])
        if isinstance(value, int | float) and abs(value) >= _SECONDS:
            return _since_1970(float(value))
        return _from_text(text)
    except (ValueError, OverflowError, OSError):
        return None


def is_form(form: str) -> bool:
    """Whether a form is one that ``strptime`` knows, and says the year."""
    day = datetime.datetime(2000, 12, 31, tzinfo=datetime.UTC)
    try:
        return datetime.datetime.strptime(day.strftime(form), form).year == day.year
    except ValueError:
        return False


def _since_1970(value: float) -> Day:
    seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
    return Day(*datetime.datetime.fromtimestamp(seconds, datetime.UTC).timetuple()[:3])


def _from_text(text: str) -> Day | None:
    if found := _ISO.match(text) or _COMPACT.match(text):
        return _checked(*(int(part) for part in found.groups() if part))
    if found := _NUMBERS.match(text):
        return _in_any_order(*map(int, found.groups()))
    if found := _DAY_FIRST.match(text):
        return _checked(int(found[3]), _month(found[2]), int(found[1] or 0))
    if found := _MONTH_FIRST.match(text):
        return _checked(int(found[3]), _month(found[1]), int(found[2]))
    return None


def _in_any_order(first: int, second: int, year: int) -> Day | None:
    """Return a date of which one number is above 12, or both are the same."""
    low, high = sorted((first, second))
    return None if low < high <= 12 else _checked(year, low, high)


def _month(name: str) -> int:
    name = name.lower()
    return next((n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:4])), 13)


def _checked(year: int, month: int = 0, day: int = 0) -> Day:
    """Return a day that is in the calendar, or raise a ``ValueError``."""
    datetime.date(year, month or 1, day or 1)
    return Day(year, month, day)


class Period(NamedTuple):
    """A day, week, month, quarter or year.

    Attributes:
        start: Its first day.
        label: As tables have it: 2024-05-01, 2024-W18, 2024-05, 2024-Q2, 2024.
    """

    start: datetime.date
    label: str


def choose_by(first: Day, last: Day) -> By:
    """Return periods of which a span has neither too few nor too many."""
    days = (_date(last) - _date(first)).days + 1
    return next((by for by, longest in _LONGEST.items() if days <= longest), "year")


def period_of(day: Day, by: By) -> Period | None:
    """Return the period that a day is in; None where it is not known exactly enough."""
    is_known = {"day": day.day, "week": day.day, "month": day.month, "quarter": day.month}
    return _period(_date(day), by) if is_known.get(by, True) else None


def _date(day: Day) -> datetime.date:
    return datetime.date(day.year, day.month or 1, day.day or 1)


def _period(date: datetime.date, by: By) -> Period:
    if by == "day":
        return Period(date, date.isoformat())
    if by == "week":
        year, week, weekday = date.isocalendar()
        start = max(date.toordinal() - weekday + 1, 1)
        return Period(datetime.date.fromordinal(start), f"{year:04}-W{week:02}")
    if by == "month":
        return Period(date.replace(day=1), f"{date.year:04}-{date.month:02}")
    if by == "quarter":
        quarter = (date.month - 1) // 3
        return Period(date.replace(month=3 * quarter + 1, day=1), f"{date.year:04}-Q{quarter + 1}")
    return Period(date.replace(month=1, day=1), f"{date.year:04}")


_AT_LEAST = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
_AT_MOST = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def count_periods(first: Period, last: Period, by: By) -> int:
    """Return about how many periods there are from one to another."""
    return (last.start - first.start).days // _AT_LEAST[by] + 1


def periods_between(first: Period, last: Period, by: By) -> Iterator[Period]:
    """Yield all periods from one to another, those without a story too."""
    period = first
    while period.start <= last.start:
        yield period
        try:
            period = _period(period.start + datetime.timedelta(_AT_MOST[by]), by)
        except OverflowError:
            return
