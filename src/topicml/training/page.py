"""Reports as one self-contained HTML page, and tables in it with all text escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from topicml.pages.render import render_page


def html_page(title: str, body: str) -> str:
    """Return a page; ``body`` is HTML already, and loads nothing."""
    from markupsafe import Markup

    values = {"title": f"topicml {title.lower()}", "heading": title, "body": Markup(body)}  # noqa: S704
    return render_page("plain.html", values)


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table that scrolls by itself where it is wider than the page."""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def number_text(value: float | None) -> str:
    """Return a figure with three decimals, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.3f}"
