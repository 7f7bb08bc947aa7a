"""`topicml` that notes what each page and each text took, in the file `TOPICML_TEST_TIMES`."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from topicml.batch import limits
from topicml.cli import main
from topicml.io import child
from topicml.io.readers.html import import_extractor

ask, time_limit = child._Child.ask, limits.time_limit


@contextlib.contextmanager
def noted(what: str, page: bytes = b"") -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        seconds = time.monotonic() - started
        line = json.dumps({"what": what, "seconds": seconds, "page": digest(page)}) + "\n"
        file = os.open(os.environ["TOPICML_TEST_TIMES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line.encode())
        os.close(file)


def digest(page: bytes) -> str:
    return hashlib.sha1(page, usedforsecurity=False).hexdigest()


def timed_ask(self: Any, function: Any, arguments: Any, seconds: float) -> Any:
    is_start = function is import_extractor
    with noted("start" if is_start else "page", b"" if is_start else arguments[0]):
        return ask(self, function, arguments, seconds)


@contextlib.contextmanager
def timed_limit(seconds: float) -> Iterator[None]:
    with noted("text"), time_limit(seconds):
        yield


child._Child.ask = timed_ask  # type: ignore[method-assign]
limits.time_limit = timed_limit

if __name__ == "__main__":  # worker processes import all of the above, too
    main()
