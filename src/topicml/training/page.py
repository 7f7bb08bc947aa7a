"""The look of reports: one self-contained HTML page, and tables in it with all text escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>topicml {name}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff; margin: 0 auto;
  max-width: 70rem; padding: 1.5rem; }}
h1 {{ font-size: 1.6rem; margin: 0 0 .3rem; }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .6rem; }}
p {{ max-width: 46rem; }} .muted {{ color: #5a6573; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .9rem .3rem 0; text-align: right; border-bottom: 1px solid #e3e7ec;
  white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr));
  gap: 1.2rem; }}
@media (max-width: 40rem) {{ body {{ padding: 1rem; font-size: 14px; }}
  th, td {{ padding-right: .55rem; }} }}
figure {{ margin: 0; }} figure img {{ width: 100%; height: auto; }}
figcaption {{ color: #5a6573; font-size: .9rem; }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def html_page(title: str, body: str) -> str:
    """Return a page; ``body`` is HTML already, and loads nothing."""
    title = html.escape(title)
    return _PAGE.format(name=title.lower(), title=title, body=body)


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table that scrolls by itself where it is wider than the page."""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def number_text(value: float | None) -> str:
    """Return a figure with three decimals, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.3f}"
