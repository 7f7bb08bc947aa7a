"""Appends annotations one by one, and prints the number of each once it is acknowledged.

A process of its own: FOLDER NAME FIRST LAST TORN. With TORN it kills itself by SIGKILL in the
middle of writing that number's line, the lock in its hands.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from topicml import appending
from topicml.labels.annotations import AnnotationStore
from topicml.labels.records import Annotation


def write_half(file, data):
    file.write(data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, name: str, first: str, last: str, torn: str) -> None:
    store = AnnotationStore(Path(folder))
    for number in range(int(first), int(last)):
        if str(number) == torn:
            appending._write = write_half
        store.append([Annotation(f"{name}-{number}", ("cooking",), name, note="ä" * 40)])
        os.write(1, f"{number}\n".encode())


main(*sys.argv[1:])
