"""What the speed benchmarks share: their text, CPU seconds, and how figures are summed up."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from topicml.text.sentences import split_sentences

ROOT = Path(__file__).parent.parent
DUMP = ROOT.parent / "shared/external/dump.jsonl"
MEGABYTE = 1_000_000


def text_source() -> str:
    """Say what text is measured on."""
    return "2,000 transcripts of speeches" if DUMP.exists() else "the repository's own, repeated"


def read_sentences() -> Iterator[str]:
    """Yield sentences, none with a line break: those of the dump, else of the repository."""
    for text in _dump_texts() if DUMP.exists() else _own_texts():
        for sentence in split_sentences(text):
            yield " ".join(sentence.text.split("\n"))


def _dump_texts() -> Iterator[str]:
    with DUMP.open(encoding="utf-8") as file:
        yield from (json.loads(line)["text"] for line in file)


def _own_texts() -> Iterator[str]:
    for path in sorted((ROOT / "data/raw").glob("*.txt")):
        yield path.read_text(encoding="utf-8")
    yield from labelled_sentences()


def labelled_sentences() -> Iterator[str]:
    """Yield the sentences of the label files, but for those that are there by reference."""
    for path in sorted((ROOT / "data/labels").glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from (record["text"] for record in map(json.loads, file) if "text" in record)


def take(size: int) -> Iterator[str]:
    """Yield the first ``size`` bytes of the sentences, from their start again where needed."""
    while True:
        for sentence in read_sentences():
            size -= len(sentence.encode("utf-8"))
            if size < 0:
                return
            yield sentence


def byte_count(texts: Iterable[str]) -> int:
    """Return how many bytes of UTF-8 the texts have."""
    return sum(len(text.encode("utf-8")) for text in texts)


def cpu_seconds() -> float:
    """Return user and system seconds of this process and of its children that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def summary(samples: Sequence[float], digits: int = 4) -> dict[str, object]:
    """Return the median and the spread of repeated measurements."""
    return {
        "median": round(statistics.median(samples), digits),
        "spread": [round(min(samples), digits), round(max(samples), digits)],
    }


def environment(libraries: Iterable[str]) -> dict[str, object]:
    """Return what figures depend on beside the code; libraries not installed are left out."""
    versions = {}
    for library in libraries:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores{_processor()}",
        "versions": versions,
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f", {names[0]}" if names else ""
