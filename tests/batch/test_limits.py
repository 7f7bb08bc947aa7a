from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from topicml.batch.limits import tag_items
from topicml.errors import RecordError
from topicml.io.records import make_reject
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document


class Picky(Tagger):
    """Fails where a text says so."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def tag(self, records: Any) -> Any:
        self.calls.append(len(records))
        texts = [record.text for record in records]
        if "raise" in texts:
            raise ValueError("no")
        while "hang" in texts:
            pass
        return [f"tagged {record.id}" for record in records]


def records_of(*texts: str) -> list[Document]:
    return [Document(str(n), text, "f", n) for n, text in enumerate(texts)]


def test_only_the_record_that_fails_is_lost_to_it() -> None:
    tagger = Picky()
    before = make_reject("f", 9, RecordError("broken_json", "cut"), b"{")
    documents = records_of("a", "raise", "b")
    assert tag_items(tagger, [before, *documents]) == [
        *(before, "tagged 0"),
        replace(make_reject("f", 1, RecordError("failed", "ValueError: no"), b"raise"), id="1"),
        "tagged 2",
    ]
    assert tagger.calls == [3, 1, 1, 1]


def test_a_record_that_hangs_is_given_up() -> None:
    assert tag_items(Picky(), records_of("a", "hang"), seconds=0.05) == [
        "tagged 0",
        replace(make_reject("f", 1, RecordError("too_slow", "over 0.05 s"), b"hang"), id="1"),
    ]


def test_a_thread_that_gets_no_signals_tags_too() -> None:
    results: list[Any] = []
    thread = threading.Thread(
        target=lambda: results.append(tag_items(Picky(), records_of("a", "raise", "b")))
    )
    thread.start()
    thread.join()
    (outcomes,) = results
    assert (outcomes[0], outcomes[1].reason, outcomes[2]) == ("tagged 0", "failed", "tagged 2")
