"""Trends as one HTML page that loads nothing: plots, and behind each the table it is of."""

from __future__ import annotations

from pathlib import Path

from topicml.pages.render import render_page
from topicml.report.trends import Trends
from topicml.report.trends_plots import (
    WIDTH,
    by_source,
    interval,
    over_time,
    percent,
    scale_of,
    story_bars,
)

_FOLDER = Path(__file__).parent


def render_trends(trends: Trends, title: str) -> str:
    """Return the page."""
    scale = scale_of(trends)
    time = [(topic, over_time(trends, topic, scale)) for topic in trends.topics]
    source = [(topic, by_source(trends, topic, scale)) for topic in trends.topics]
    values = {
        "trends": trends,
        "title": title,
        "width": WIDTH,
        "bars": story_bars(trends),
        "time": time if trends.periods else [],
        "source": source if len(trends.sources) > 1 else [],
        "percent": percent,
        "interval": interval,
    }
    style = (_FOLDER / "trends.css").read_text("utf-8")
    return render_page("trends.html", values, folder=_FOLDER, style=style)
