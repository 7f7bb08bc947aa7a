"""The rows of trends as tables for programs: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from topicml.io.writers.csv import defused
from topicml.report.trends import Row, Trends

_DECIMALS = 6
_COLUMNS = (
    *("axis", "label", "start", "topic", "unit", "stories", "n", "count"),
    *("share", "low", "high", "corrected", "corrected_low", "corrected_high", "note"),
)


def table_rows(trends: Trends) -> list[dict[str, Any]]:
    """Return the rows as plain values, numbers with six decimals."""
    return [_plain(row, trends) for row in trends.rows]


def _plain(row: Row, trends: Trends) -> dict[str, Any]:
    share, after = row.share, row.corrected
    notes = [share.note, "" if after.note == share.note else after.note]
    if trends.unit == "sentence":
        notes.append(trends.reasons.get(row.topic, ""))
    values = (share.value, share.low, share.high, after.value, after.low, after.high)
    cells = (
        *(row.axis, row.label, row.start, row.topic, trends.unit, row.stories, row.n, row.count),
        *(None if value is None else round(value, _DECIMALS) for value in values),
        "; ".join(filter(None, notes)),
    )
    return dict(zip(_COLUMNS, cells, strict=True))


def as_csv(trends: Trends) -> str:
    """Return a row for each topic, of all stories, each period and each source."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    for row in table_rows(trends):
        writer.writerow({name: defused(value) for name, value in row.items()})
    return text.getvalue()


def as_json(trends: Trends) -> str:
    """Return the same rows, with what they are of."""
    counts = trends.counts
    fields = {
        "model": trends.model,
        "unit": trends.unit,
        "by": trends.by,
        "records": counts.records,
        "stories": counts.all.stories,
        "near_copies": counts.copies if counts.names_copies else None,
        "undated": counts.undated,
        "topics": list(trends.topics),
        "error_rates": [asdict(rates) for rates in trends.errors.rates.values()],
        "notes": list(trends.notes),
        "rows": table_rows(trends),
    }
    return json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
