"""A comparison of two models as tables for people, on a terminal and as an HTML page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

from rich.text import Text

from topicml.cli.render import render_rows
from topicml.io.writers.table import table_console
from topicml.text.normalise import printable
from topicml.training.page import html_page, html_table

_VERDICTS = {"ok": "ok: the gate lets it pass", "refused": "refused by the gate"}
_WORDS_SHOWN = 5
_IDS_SHOWN = 3


class _Part(NamedTuple):
    """A table, what it is about, and a remark."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    remark: str = ""


def render_comparison(fields: dict[str, Any], out: IO[str] | None = None) -> None:
    """Draw a comparison as ``Comparison.to_dict`` gives it."""
    screen = table_console(out)
    screen.print(_headline(fields) + "\n")
    for part in _parts(fields, _WORDS_SHOWN):
        screen.print(Text(part.title, style="bold"))
        if part.remark:
            screen.print(Text(part.remark, style="dim"))
        if part.rows:
            render_rows(part.columns, part.rows, out)
        else:
            screen.print()
    screen.print(f"Verdict: {_VERDICTS[fields['verdict']]}")


def comparison_page(fields: dict[str, Any]) -> str:
    """Return a comparison as one HTML page that loads nothing, all text escaped."""
    cautions = "".join(f"<li>{html.escape(caution)}</li>" for caution in fields["cautions"])
    body = [
        f"<p>{html.escape(_headline(fields))}</p>",
        f"<p><strong>Verdict: {_VERDICTS[fields['verdict']]}</strong></p>",
        f"<ul>{cautions}</ul>",
    ]
    for part in _parts(fields, None):
        body.append(f"<h2>{html.escape(part.title)}</h2>")
        if part.remark:
            body.append(f'<p class="muted">{html.escape(part.remark)}</p>')
        if part.rows:
            cells = [[_text(cell) for cell in row] for row in part.rows]
            body.append(html_table(part.columns, cells))
    return html_page("Comparison", "\n".join(body))


def _headline(fields: dict[str, Any]) -> str:
    left_out = f", {fields['left_out']:,} left out" if fields["left_out"] else ""
    return printable(
        f"{fields['new']['model']} in place of {fields['old']['model']}, on "
        f"{fields['sentences']:,} sentences of {fields['documents']:,} documents of "
        f"{', '.join(fields['data'])}{left_out}."
    )


def _parts(fields: dict[str, Any], words: int | None) -> Iterator[_Part]:
    yield _figures(fields)
    yield _topics(fields)
    yield _decisions(fields)
    yield _Part(
        "Calibration: how often a topic was there, by the probability given for it",
        ("probability", "old: predictions", "mean", "share", "new: predictions", "mean", "share"),
        _calibration(fields),
    )
    yield _flips(fields)
    yield _words(fields, words)
    yield _labels(fields)
    yield _Part(
        "Gate",
        ("limit on", "found", "allowed", "passed", "whole interval agrees"),
        [
            (
                c["what"],
                _number(c["found"], "+"),
                _number(c["limit"], "+"),
                *map(_yes, (c["passed"], c["settled"])),
            )
            for c in fields["checks"]
        ],
    )


def _figures(fields: dict[str, Any]) -> _Part:
    rows = [(name.replace("_", " "), *_difference(row)) for name, row in fields["metrics"].items()]
    remark = (
        "Intervals are 95 %, paired, by the jackknife over documents; of calibration they reach as "
        "far as chance may have widened either error."
    )
    return _Part(
        "Figures", _DIFFERENCE, rows, f"{remark} {_notes(fields['metrics'].values())}".strip()
    )


_DIFFERENCE = ("figure", "old", "new", "difference", "95 % interval")


def _topics(fields: dict[str, Any]) -> _Part:
    rows = [(row["topic"], row["support"], *_difference(row["f1"])) for row in fields["topics"]]
    columns = ("topic", "support", "old F1", "new F1", "difference", "95 % interval")
    return _Part("Topics", columns, rows, _notes(row["f1"] for row in fields["topics"]))


def _decisions(fields: dict[str, Any]) -> _Part:
    rows = [
        (
            row["topic"],
            *row["flips"].values(),
            *(f"{row[key]:.3g}" for key in ("p_value", "p_corrected")),
        )
        for row in fields["topics"]
    ]
    columns = ("topic", "gained: right", "wrong", "lost: right", "wrong", "p", "p (Holm)")
    remark = (
        "Right is where the labels agree with the new model. p: McNemar's exact test, which takes "
        "sentences for independent; corrected by Holm's method for the number of topics."
    )
    return _Part("Tags gained and lost", columns, rows, remark)


def _notes(rows: Iterable[dict[str, Any]]) -> str:
    notes = sorted({row["note"] for row in rows if row["note"]})
    return f"No interval where {'; '.join(notes)}." if notes else ""


def _calibration(fields: dict[str, Any]) -> list[tuple[Any, ...]]:
    sides = [{b["lower"]: b for b in fields["calibration"][side]} for side in ("old", "new")]
    rows = []
    for lower in sorted(sides[0].keys() | sides[1].keys()):
        cells: list[Any] = [f"{lower:.1f} to {lower + 0.1:.1f}"]
        for side in sides:
            b = side.get(lower, {})
            cells += [b.get(key) for key in ("count", "mean_probability", "observed_share")]
        rows.append(tuple(cells))
    return rows


def _flips(fields: dict[str, Any]) -> _Part:
    rows = [
        (f["id"], *("+".join(f[key]) or "–" for key in ("labels", "gained", "lost")), f["text"])
        for f in fields["flips"]
    ]
    title = f"Sentences whose topics changed: {fields['flipped']:,}"
    hidden = fields["flipped"] - len(rows)
    remark = f"Not listed here: {hidden:,}. --flips N lists N." if hidden else ""
    return _Part(title, ("id", "labels", "gained", "lost", "text"), rows, remark)


def _words(fields: dict[str, Any], shown: int | None) -> _Part:
    title = "Words that changed most"
    if fields["words"] is None:
        return _Part(title, (), (), "A network has no weights of words.")
    rows = [
        (topic, w["word"], w["sentences"], *(_number(w[k], "+") for k in ("old", "new", "change")))
        for topic, words in fields["words"].items()
        for w in words[:shown]
    ]
    remark = "What a word adds to a topic's log-odds, summed over the sentences that have it."
    columns = ("topic", "word", "sentences", "old", "new", "change")
    return _Part(title, columns, rows, remark if rows else "None changed.")


def _labels(fields: dict[str, Any]) -> _Part:
    rows = [
        (e["file"], e["status"], *(_ids(e[key]) for key in ("added", "removed", "changed")))
        for e in fields["labels"]
    ]
    unknown = any(e["added"] is None for e in fields["labels"])
    remark = "Where it is unknown, a state is not here: give it with --labels." if unknown else ""
    return _Part("Label files", ("file", "status", "added", "removed", "changed"), rows, remark)


def _ids(ids: Sequence[str] | None) -> str:
    if ids is None:
        return "unknown"
    shown = ", ".join(ids[:_IDS_SHOWN]) + (", …" if len(ids) > _IDS_SHOWN else "")
    return f"{len(ids):,} ({shown})" if ids else "0"


def _difference(row: dict[str, Any]) -> tuple[str, ...]:
    interval = row["interval"]
    return (
        *(_number(row["old"]), _number(row["new"]), _number(row["difference"], "+")),
        "none" if interval is None else " to ".join(_number(end, "+") for end in interval),
    )


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return "–"
    rounded = round(value, 3)
    return f"{rounded:{sign}.3f}" if rounded else "0.000"


def _yes(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"


def _text(cell: Any) -> str:
    if cell is None:
        return "–"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
