"""Trends as one HTML page that loads nothing: plots, and behind each the table it is of."""

from __future__ import annotations

from pathlib import Path

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

_TEMPLATES = Path(__file__).parent / "templates"


def render_trends(trends: Trends, title: str) -> str:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "interval": interval}
    scale = scale_of(trends)
    return environment.get_template("trends.html").render(
        trends=trends,
        title=title,
        width=WIDTH,
        bars=story_bars(trends),
        time=[(topic, over_time(trends, topic, scale)) for topic in trends.topics]
        if trends.periods
        else [],
        source=[(topic, by_source(trends, topic, scale)) for topic in trends.topics]
        if len(trends.sources) > 1
        else [],
    )
