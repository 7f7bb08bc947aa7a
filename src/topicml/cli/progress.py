"""Progress and summary of a batch run, for people at a terminal and for programs."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from topicml.batch.progress import Progress as RunProgress
from topicml.io.records import Reject, counted, list_counts
from topicml.text.normalise import printable

SECONDS_BETWEEN_LINES = 10.0
"""How often JSON tells of progress, where nobody says how often."""

_WIDE = 100


def make_reporter(
    quiet: bool, log_format: str, interval: float = SECONDS_BETWEEN_LINES
) -> QuietReporter:
    """Return what tells of a run on standard error.

    Args:
        quiet: Tell of nothing but rejected records.
        log_format: ``json`` for programs.
        interval: Seconds between its lines of progress.
    """
    if quiet:
        return QuietReporter()
    if log_format == "json":
        return JsonReporter(interval)
    return TerminalReporter(Console(stderr=True, highlight=False, markup=False, emoji=False))


def _rejected(reject: Reject) -> str:
    return printable(f"rejected: {reject.place}: {reject.reason}: {reject.detail}")


class QuietReporter:
    """Tells of rejected records that no file takes, and of nothing else."""

    def __enter__(self) -> QuietReporter:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, progress: RunProgress) -> None:
        """Tell nothing."""

    def note(self, line: str) -> None:
        """Tell nothing."""

    def reject(self, reject: Reject) -> None:
        """Write why, and where the record is."""
        sys.stderr.write(f"{_rejected(reject)}\n")

    def finish(self, summary: dict[str, Any]) -> None:
        """Tell nothing."""


class _Speed:
    """Bytes a second since the first that were told of, for what a run went on from is not its."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def at(self, progress: RunProgress) -> float | None:
        """Return the speed so far; None at first, and where nothing more was read."""
        self._first = self._first or (progress.seconds, progress.bytes_read)
        seconds, read = progress.seconds - self._first[0], progress.bytes_read - self._first[1]
        return read / seconds if seconds > 0 and read else None


class JsonReporter(QuietReporter):
    """Writes a JSON object a line: progress now and then, and the summary.

    Args:
        interval: Seconds between lines of progress.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._told = time.monotonic()
        self._speed = _Speed()

    def update(self, progress: RunProgress) -> None:
        """Write a line if the last one is a while ago."""
        now = time.monotonic()
        rate = self._speed.at(progress)
        if now - self._told < self._interval:
            return
        self._told = now
        left = None if progress.total_bytes is None else progress.total_bytes - progress.bytes_read
        self._write(
            {
                "event": "progress",
                "seconds": round(progress.seconds, 3),
                "bytes_read": progress.bytes_read,
                "bytes_in_all": progress.total_bytes,
                "bytes_per_second": rate and round(rate),
                "seconds_left": None if left is None or rate is None else round(left / rate),
                "records": progress.counts.read + progress.counts.skipped.total(),
                "tagged": progress.counts.records,
                "rejected": progress.counts.rejects.total(),
                "skipped": progress.counts.skipped.total(),
            }
        )

    def note(self, line: str) -> None:
        """Write the note."""
        self._write({"event": "note", "note": line})

    def reject(self, reject: Reject) -> None:
        """Write why, and where the record is."""
        self._write({"event": "reject", **reject.to_dict()})

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the summary."""
        self._write({"event": "summary", **summary})

    def _write(self, line: dict[str, Any]) -> None:
        sys.stderr.write(json.dumps(line) + "\n")  # ASCII, whatever names are in it


class TerminalReporter(QuietReporter):
    """Draws a progress bar on a terminal, and a table at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = [
            BarColumn(bar_width=None if console.width >= _WIDE else 12),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn() if console.width >= _WIDE else TextColumn(""),
            TimeRemainingColumn(),
        ]
        self._bar = Progress(*columns, console=console, transient=True, expand=True)
        self._task = self._bar.add_task("", total=None, told="starting")
        self._speed = _Speed()

    def __enter__(self) -> TerminalReporter:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, progress: RunProgress) -> None:
        """Move the bar."""
        rate = self._speed.at(progress)
        rejected = progress.counts.rejects.total()
        told = f"{counted(progress.counts.records, 'record')}, {_amount(progress.bytes_read)}"
        told += "" if rate is None else f", {_amount(rate)}/s"
        told += f", {rejected:,} rejected" if rejected else ""
        told += " (resumed)" if progress.is_resumed else ""
        self._bar.update(
            self._task, completed=progress.bytes_read, total=progress.total_bytes, told=told
        )

    def note(self, line: str) -> None:
        """Write the note above the bar."""
        self._console.print(Text(f"note: {printable(line)}"))

    def reject(self, reject: Reject) -> None:
        """Write above the bar why, and where the record is."""
        self._console.print(Text(_rejected(reject)), soft_wrap=True)

    def finish(self, summary: dict[str, Any]) -> None:
        """Draw the summary."""
        for line in _sentences(summary):
            self._console.print(Text(line))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column, justify in (("topic", "left"), ("records", "right"), ("share", "right")):
            table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        topics = sorted(summary["topics"].items(), key=lambda item: -item[1]["records"])
        for topic, found in topics:
            table.add_row(topic, f"{found['records']:,}", f"{found['share']:.1%}")
        self._console.print(table)


def _amount(size: float) -> str:
    """Return bytes in the unit that leaves a digit to read."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= length:
            return f"{size / length:,.1f} {unit}"
    return f"{size:.0f} B"


def _sentences(summary: dict[str, Any]) -> list[str]:
    rate = summary["text_bytes"] / max(summary["seconds"], 0.001)
    speed = f", {_amount(rate)}/s" if rate else ""
    lines = [
        f"{summary['tagged']:,} of {counted(summary['records'], 'record')} tagged with "
        f"{summary['model']}: {counted(summary['sentences'], 'sentence')}, "
        f"{summary['unfamiliar_share']:.1%} unfamiliar, {summary['seconds']:,.1f} s{speed}",
    ]
    if again := summary["second_opinion"]:
        share = f"{counted(again['sentences'], 'sentence')} ({again['share']:.1%})"
        lines.append(f"{share} read again by {again['model']}")
    if summary["rejected"]:
        lines.append(f"{summary['rejected']:,} rejected: {list_counts(summary['rejects'])}")
    if summary["skipped"]:
        skipped = sum(summary["skipped"].values())
        lines.append(f"{skipped:,} skipped, no texts: {list_counts(summary['skipped'])}")
    if summary["encodings"]:
        found = list_counts(summary["encodings"])
        lines.append(f"Records in other encodings than UTF-8: {found}")
    if summary["repeated_ids"]:
        repeated = counted(summary["repeated_ids"], "record")
        lines.append(f"{repeated} with the id of an earlier one")
    if summary["duplicates"] is not None:
        lines.append(f"{counted(summary['duplicates'], 'near copy')} of earlier records")
    return lines
