from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.report.trends_dates import (
    Day,
    choose_by,
    count_periods,
    is_form,
    period_of,
    periods_between,
    read_day,
)

FORMS = (
    "%d/%m/%Y",
    "%d.%m.%y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-W%W-%w",
    "%s",
    "%d/%m",
    "%Q",
    "yyyy",
)


def test_forms_are_those_that_say_a_year():
    assert [is_form(form) for form in FORMS] == [True] * 4 + [False] * 4


PERIODS = ("day", "week", "month", "quarter", "year")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-03", Day(2024, 5, 3)),
        ("2024-05-03T23:30:00-05:00", Day(2024, 5, 3)),  # as it stands there
        ("2024-05-03 10:00", Day(2024, 5, 3)),
        ("2024/5/3", Day(2024, 5, 3)),
        ("20240503", Day(2024, 5, 3)),
        (20240503, Day(2024, 5, 3)),
        ("2024-05", Day(2024, 5)),
        ("2024", Day(2024)),
        (2024, Day(2024)),
        (2024.0, Day(2024)),
        ("Fri, 03 May 2024 10:00:00 GMT", Day(2024, 5, 3)),
        ("3 May 2024", Day(2024, 5, 3)),
        ("May 3rd, 2024", Day(2024, 5, 3)),
        ("Sept. 3, 2024", Day(2024, 9, 3)),
        ("May 2024", Day(2024, 5)),
        ("31/12/2024", Day(2024, 12, 31)),
        ("12/31/2024", Day(2024, 12, 31)),
        ("05/05/2024", Day(2024, 5, 5)),
        ("05/06/2024", None),  # of May or of June
        (1714730400, Day(2024, 5, 3)),
        (1714730400000, Day(2024, 5, 3)),
        ("2024-02-30", None),
        ("2024-13-01", None),
        ("32 May 2024", None),
        ("3 Nonsense 2024", None),
        ("2024-05-0312", None),
        ("", None),
        ("soon", None),
        (None, None),
        (True, None),
        ([2024], None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
    ],
)
def test_dates_are_read_as_they_stand(value, expected):
    assert read_day(value) == expected


def test_a_format_that_is_named_is_the_only_one():
    assert read_day("05/06/2024", "%d/%m/%Y") == Day(2024, 6, 5)
    assert read_day("2024-06-05", "%d/%m/%Y") is None


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none()))
def test_whatever_is_there_is_a_date_or_none(value):
    day = read_day(value)
    assert day is None or datetime.date(day.year, day.month or 1, day.day or 1)


@given(st.dates(), st.sampled_from(PERIODS))
def test_a_day_is_in_its_period(date, by):
    period = period_of(Day(date.year, date.month, date.day), by)
    assert period.start <= date
    assert list(periods_between(period, period, by)) == [period]


@given(
    st.dates(datetime.date(1900, 1, 1), datetime.date(1930, 1, 1)),
    st.integers(0, 4000),
    st.sampled_from(PERIODS),
)
def test_periods_follow_each_other_without_a_gap(first, days, by):
    last = first + datetime.timedelta(days)
    ends = [period_of(Day(d.year, d.month, d.day), by) for d in (first, last)]
    found = list(periods_between(*ends, by))
    assert found[0] == ends[0]
    assert found[-1] == ends[1]
    assert found == sorted({*found})
    every = {
        period_of(Day(*(first + datetime.timedelta(n)).timetuple()[:3]), by) for n in range(days)
    }
    assert every <= {*found}
    assert len(found) <= count_periods(*ends, by)


def test_a_date_that_does_not_say_the_period_is_in_none():
    assert period_of(Day(2024), "month") is None
    assert period_of(Day(2024, 5), "week") is None
    assert period_of(Day(2024, 5), "quarter").label == "2024-Q2"
    assert period_of(Day(2024, 12, 30), "week").label == "2025-W01"


def test_the_span_chooses_the_period():
    start = Day(2024, 1, 1)
    lasts = (Day(2024, 1, 20), Day(2024, 5, 1), Day(2025, 6, 1), Day(2030, 1, 1), Day(2050, 1, 1))
    assert tuple(choose_by(start, last) for last in lasts) == PERIODS
