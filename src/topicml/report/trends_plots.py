"""Small multiples: where every line, dot and word of a plot stands, all on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from topicml.report.trends import Row, Trends
from topicml.report.trends_rates import Share

WIDTH, HEIGHT = 340, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 8, 10, 22
_NAMES = 130  # room for the names of sources
_LINE = 20  # from one source to the next
_LONGEST_NAME = 18
_MOST_DOTS = 60
_NEARLY_ALL = 0.98
Height = Callable[[float], float]
_STEPS = (0.01, 0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval; ``said`` is told of it."""

    x: float
    y: float
    low: float
    high: float
    said: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A word beside an axis, or a line across."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Panel:
    """One topic's plot.

    Attributes:
        height: In the units of the drawing; ``WIDTH`` is the same for all.
        marks: The shares that are looked at: corrected where they can be.
        runs: Of these, those next to each other, without a gap.
        raw: Likewise, the shares before the correction; none where there is no correction.
        dots: Whether each value has one.
        across: Ticks of the scale.
        along: Ticks of the periods, or the names of sources.
        left: Where the scale begins.
        right: Where the drawing ends.
        bottom: Where the scale of values ends.
    """

    height: float
    marks: list[Mark]
    runs: list[list[Mark]]
    raw: list[list[Mark]]
    dots: bool
    across: list[Tick]
    along: list[Tick]
    left: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Bar:
    """How many stories a period has."""

    x: float
    y: float
    width: float
    height: float
    said: str


def scale_of(trends: Trends) -> float:
    """Return the share that all plots end at: above all values, and nearly all intervals."""
    shares = [share for row in trends.rows for share in (row.share, row.corrected)]
    values = [share.value or 0.0 for share in shares]
    highs = sorted(share.high for share in shares if share.high is not None) or [0.0]
    most = max(*values, highs[int(_NEARLY_ALL * (len(highs) - 1))])
    return next((step for step in _STEPS if step >= most), 1.0)


def over_time(trends: Trends, topic: str, scale: float) -> Panel:
    """Return a topic's plot over time."""
    rows = trends.of("time", topic)
    xs = _places(len(rows), _LEFT, WIDTH - _RIGHT)

    def height(value: float) -> float:
        return _down(value, scale)

    is_corrected = topic not in trends.reasons
    shown = [row.corrected if is_corrected else row.share for row in rows]
    runs = _runs(xs, rows, shown, height)
    raw = _runs(xs, rows, [row.share for row in rows], height) if is_corrected else []
    return Panel(
        height=HEIGHT,
        marks=[mark for run in runs for mark in run],
        runs=runs,
        raw=raw,
        dots=len(rows) <= _MOST_DOTS,
        across=[Tick(height(value), percent(value)) for value in (0, scale / 2, scale)],
        along=_along(xs, [row.label for row in rows]),
        left=_LEFT,
        right=WIDTH - _RIGHT,
        bottom=HEIGHT - _BOTTOM,
    )


def by_source(trends: Trends, topic: str, scale: float) -> Panel:
    """Return a topic's plot by source: a line each."""
    rows = trends.of("source", topic)
    is_corrected = topic not in trends.reasons
    bottom = _TOP + _LINE * len(rows)

    def across(value: float) -> float:
        return _round(_NAMES + (WIDTH - 16 - _NAMES) * min(value, scale) / scale)

    def mark(number: int, row: Row, share: Share) -> Mark | None:
        if share.value is None:
            return None
        low, high = _ends(share)
        y = _TOP + _LINE * (number + 0.5)
        return Mark(across(share.value), y, across(low), across(high), _said(row, share))

    marks = [
        mark(number, row, row.corrected if is_corrected else row.share)
        for number, row in enumerate(rows)
    ]
    raw = [mark(number, row, row.share) for number, row in enumerate(rows)] if is_corrected else []
    ends = [Tick(across(value), percent(value)) for value in (0, scale / 2, scale)]
    return Panel(
        height=bottom + _BOTTOM,
        marks=[each for each in marks if each],
        runs=[],
        raw=[[each] for each in raw if each],
        dots=True,
        across=ends,
        along=[
            Tick(_TOP + _LINE * (number + 0.5), _short(row.label), "end")
            for number, row in enumerate(rows)
        ],
        left=_NAMES,
        right=WIDTH - 16,
        bottom=bottom,
    )


def story_bars(trends: Trends) -> tuple[list[Bar], list[Tick], list[Tick]]:
    """Return how many stories each period has, the scale and the periods."""
    rows = trends.of("time", trends.topics[0])
    most = max((row.stories for row in rows), default=0) or 1
    room = (WIDTH - _RIGHT - _LEFT) / max(len(rows), 1)
    width = max(min(room * 0.8, 24), 0.5)
    xs = [_LEFT + room * (number + 0.5) for number in range(len(rows))]
    bars = []
    for x, row in zip(xs, rows, strict=True):
        y = _down(row.stories, most)
        height = _round(_down(0, 1) - y)
        said = f"{row.label}: {row.stories:,}"
        bars.append(Bar(_round(x - width / 2), y, _round(width), height, said))
    scale = [Tick(_down(0, 1), "0"), Tick(_down(most, most), f"{most:,}")]
    return bars, scale, _along(xs, [row.label for row in rows])


def percent(value: float | None) -> str:
    """Return a share for people; a dash for none."""
    if value is None:
        return "–"
    digits = 0 if value >= 0.1 else 1 if value >= 0.01 else 2
    return f"{_plain(100 * value, digits)} %"


def interval(share: Share) -> str:
    """Return an interval for people; a dash for none."""
    if share.low is None or share.high is None:
        return "–"
    digits = 1 if share.high >= 0.01 else 2
    return f"{100 * share.low:.{digits}f} to {100 * share.high:.{digits}f} %"


def _plain(value: float, digits: int) -> str:
    whole = f"{value:.{digits}f}"
    return whole.rstrip("0").rstrip(".") if "." in whole and value in (0, round(value)) else whole


def _runs(
    xs: Sequence[float], rows: Sequence[Row], shares: Sequence[Share], height: Height
) -> list[list[Mark]]:
    places = zip(xs, rows, shares, strict=True)
    runs = []
    for is_there, group in groupby(places, lambda place: place[2].value is not None):
        if is_there:
            runs.append([_mark(x, row, share, height) for x, row, share in group])
    return runs


def _mark(x: float, row: Row, share: Share, height: Height) -> Mark:
    low, high = _ends(share)
    return Mark(x, height(share.value or 0.0), height(low), height(high), _said(row, share))


def _ends(share: Share) -> tuple[float, float]:
    value = share.value or 0.0
    return (
        value if share.low is None else share.low,
        value if share.high is None else share.high,
    )


def _said(row: Row, share: Share) -> str:
    return f"{row.label}: {percent(share.value)} ({interval(share)}) of {row.n:,}"


def _down(value: float, scale: float) -> float:
    room = HEIGHT - _TOP - _BOTTOM
    return _round(_TOP + room * (1 - min(value, scale) / scale))


def _places(count: int, left: float, right: float) -> list[float]:
    if count == 1:
        return [(left + right) / 2]
    inner = left + 6
    return [_round(inner + (right - 6 - inner) * i / max(count - 1, 1)) for i in range(count)]


def _along(xs: Sequence[float], labels: Sequence[str]) -> list[Tick]:
    """Return the first, the middle and the last label."""
    if len(labels) < 3:
        anchors = ["start", "end"] if len(labels) == 2 else ["middle"]
        return [Tick(_round(x), t, a) for x, t, a in zip(xs, labels, anchors, strict=False)]
    middle = len(labels) // 2
    return [
        Tick(_round(xs[0]), labels[0], "start"),
        Tick(_round(xs[middle]), labels[middle]),
        Tick(_round(xs[-1]), labels[-1], "end"),
    ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _round(value: float) -> float:
    return round(value, 1)
