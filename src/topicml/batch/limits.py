"""Tagging that no single document can take down: by time, or by whatever it raises."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence

from topicml.errors import RecordError
from topicml.io.records import RECORD_SECONDS, Reject, make_reject
from topicml.stopping import check_stopped
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document


def tag_items(
    tagger: Tagger, items: Iterable[Document | Reject], seconds: float = RECORD_SECONDS
) -> list[TaggedArticle | Reject]:
    """Tag n documents at once; where that fails, one by one, to find the ones that do.

    Args:
        tagger: Tags them.
        items: Documents, and rejects among them, which stay where they are.
        seconds: What the documents may take, all at once and each by itself. It is kept to in
            the main thread only: no other can be interrupted.

    Returns:
        For each item its article, or why there is none.
    """
    check_stopped()
    items = list(items)
    documents = [item for item in items if isinstance(item, Document)]
    tagged: Iterator[TaggedArticle | Reject]
    try:
        with time_limit(seconds):
            tagged = iter(tagger.tag(documents))
    except Exception:  # noqa: BLE001 - whatever it was, it is met again below, by document
        tagged = iter(_tag_singly(tagger, documents, seconds))
    return [item if isinstance(item, Reject) else next(tagged) for item in items]


def _tag_singly(
    tagger: Tagger, documents: Sequence[Document], seconds: float
) -> list[TaggedArticle | Reject]:
    outcomes: list[TaggedArticle | Reject] = []
    for document in documents:
        try:
            with time_limit(seconds):
                outcomes += tagger.tag([document])
        except TimeoutError:
            outcomes.append(_reject(document, RecordError("too_slow", f"over {seconds:g} s")))
        except Exception as err:  # noqa: BLE001 - one document must not take the run down
            failure = RecordError("failed", f"{type(err).__name__}: {err}")
            outcomes.append(_reject(document, failure))
    return outcomes


def _reject(document: Document, failure: RecordError) -> Reject:
    raw = document.text.encode("utf-8", "surrogatepass")
    has_own = document.id != f"{document.source}:{document.number}"
    failure.id = document.id if has_own else None
    return make_reject(document.source, document.number, failure, raw)


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
