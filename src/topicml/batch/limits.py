"""Tagging that no single record can take down: by time, and by whatever it raises."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from topicml.io.compression import Failure
from topicml.tagging.tagger import Counts, Tagger
from topicml.text.document import Document

SECONDS = 60.0
"""What one record may take, where nothing else is said."""


def tag_guarded(
    tagger: Tagger, records: Sequence[Document], seconds: float = SECONDS
) -> tuple[list[dict[str, Any] | Failure], Counts]:
    """Tag n records at once; where that fails, one by one, to find the ones that do.

    Args:
        tagger: Tags them.
        records: n records.
        seconds: What they may take, all at once and each by itself. It is kept to in the main
            thread only: no other can be interrupted.

    Returns:
        For each record its output record, or why there is none; and what was found.
    """
    try:
        with time_limit(seconds):
            tagged, counts = tagger.tag(records)
    except Exception:  # noqa: BLE001 - whatever it was, it is met again below, by record
        return _tag_singly(tagger, records, seconds)
    return [*tagged], counts


def _tag_singly(
    tagger: Tagger, records: Sequence[Document], seconds: float
) -> tuple[list[dict[str, Any] | Failure], Counts]:
    outcomes: list[dict[str, Any] | Failure] = []
    counts = Counts()
    for record in records:
        try:
            with time_limit(seconds):
                tagged, found = tagger.tag([record])
        except TimeoutError:
            outcomes.append(Failure("too_slow", f"over {seconds:g} s"))
        except Exception as err:  # noqa: BLE001 - one record must not take the run down
            outcomes.append(Failure("failed", f"{type(err).__name__}: {err}"))
        else:
            outcomes += tagged
            counts.add(found)
    return outcomes, counts


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TimeoutError`` after so many seconds, as soon as Python code runs again.

    Outside of the main thread, where signals do not arrive, there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
