"""How far a fetch is, and what it did not find, for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from topicml.io.writers.table import table_console
from topicml.labels.fetch import Fetched

_SHOWN = 5
_WORDS = {
    "no_clone": "the archive is not there",
    "no_file": "the document is not there",
    "unreadable": "the document is no text",
    "differs": "the text differs from the one that was labelled",
}


@contextmanager
def document_progress() -> Iterator[Callable[[int, int], None]]:
    """Draw a bar on standard error; yield what is told of documents read, and of how many."""
    console = table_console(sys.stderr)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Reading documents", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def problem_lines(fetched: Fetched) -> list[str]:
    """Return counts by repository and reason, and the first few problems of each."""
    lines = []
    for repository, reason, count in fetched.problem_counts():
        lines.append(f"{repository}: {count:,} texts missing: {_WORDS[reason]}")
        found = [
            p
            for p in fetched.problems
            if (p.reference.pointer.repository, p.reason) == (repository, reason)
        ]
        if reason == "no_clone":  # the same for all
            lines.append(f"- {found[0].detail}")
        else:
            lines += [
                f"- {p.reference.id}: {p.reference.pointer.path}: {p.detail}"
                for p in found[:_SHOWN]
            ]
    return lines
