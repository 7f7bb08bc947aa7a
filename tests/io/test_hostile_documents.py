import time
from collections.abc import Iterator

import pytest
from hostile_documents import documents
from processes import is_running

from topicml.errors import RecordError
from topicml.io import child
from topicml.io.readers.documents import PARSERS, read_document
from topicml.io.recognise import recognise
from topicml.io.records import REASONS

LIMIT = 5.0  # seconds
SLOW = {"zip-elements", "pdf-bomb", "pdf-same-page"}  # each costs a child


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    child.close()


def answer(suffix: str, data: bytes) -> str:
    """Return the reason of the reject, or the format as which there is a text."""
    try:
        form = recognise(data[: 1 << 18], suffix)  # type: ignore[arg-type]
        if form in PARSERS:
            assert read_document(form, data, LIMIT).text.strip()
    except RecordError as err:
        return err.reason if len(err.detail.splitlines()) == 1 else err.detail
    return form


def check(seed: str, count: int, left_out: set[str]) -> dict[str, str]:
    found = {}
    for kind, suffix, data in documents(seed, count, left_out):
        started = time.monotonic()
        found[kind] = answer(suffix, data)
        assert found[kind] in REASONS or found[kind] in {*PARSERS, "txt"}, kind
        assert time.monotonic() - started < 10 * LIMIT, kind
    return found


def test_hostile_documents_are_answered() -> None:
    found = check("quick", 130, SLOW)
    assert found["entities"] == found["external"] == "unreadable_input"
    assert found["zip-bomb"] == "too_large"
    assert found["pdf-encrypted"] == found["ole-encrypted"] == "encrypted"
    assert found["rtf-object"] == found["rtf-numbers"] == "rtf"
    assert found["deep-tables"] == "docx"
    assert found["pdf-page-count"] == found["pdf-own-form"] == "no_main_text"


@pytest.mark.soak
def test_many_hostile_documents_are_answered_and_leave_no_process() -> None:
    found = check("soak", 600, set())
    assert found["pdf-bomb"] == found["zip-elements"] == "out_of_memory"
    assert found["pdf-same-page"] in {"pdf", "too_slow"}
    number = child.call(_number, seconds=60, prepare=_number)
    child.close()
    assert not is_running(number)


def _number() -> int:
    import os

    return os.getpid()
