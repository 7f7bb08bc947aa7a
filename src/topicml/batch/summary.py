"""What came of a batch run, in figures."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from topicml.batch.job import Job
from topicml.batch.opened import Opened
from topicml.files import write_text
from topicml.io.records import Reject
from topicml.io.remote import is_address, show_address
from topicml.models.folder import Model
from topicml.tagging.abstention import REASONS
from topicml.tagging.articles import TaggedArticle
from topicml.version import __version__

_SOME_REJECTED = 3  # exit code, as of all commands
_SCORES = (".npz", ".safetensors")
_UNFAMILIAR = REASONS.index("unfamiliar")


@dataclass(slots=True)
class Counts:
    """What was found in some records; can be added up.

    Attributes:
        records: Records tagged.
        filtered: Records among them that are not written, for they have none of the topics
            that were asked for.
        sentences: Sentences in them.
        unfamiliar: Sentences among them with hardly a known word.
        text_bytes: Bytes of text, in UTF-8.
        read_again: Sentences that a second model decided of.
        duplicates: Records that are near copies of an earlier one.
        repeated_ids: Records that have the id of an earlier one.
        topics: Records with each topic.
        rejects: Rejected records by reason.
        skipped: Records that are no text, such as images in a WARC file, by kind.
        encodings: Records that were in another encoding than UTF-8.
    """

    records: int = 0
    filtered: int = 0
    sentences: int = 0
    unfamiliar: int = 0
    text_bytes: int = 0
    read_again: int = 0
    duplicates: int = 0
    repeated_ids: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """Records that were read."""
        return self.records + self.rejects.total()

    @property
    def written(self) -> int:
        """Records that are in the output."""
        return self.records - self.filtered

    @classmethod
    def of(cls, outcomes: Iterable[TaggedArticle | Reject], skipped: Counter[str]) -> Counts:
        """Count what came of some documents, and what was skipped among them."""
        counts = cls(skipped=skipped)
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                counts.rejects[outcome.reason] += 1
                continue
            counts.records += 1
            counts.sentences += len(outcome.spans)
            counts.unfamiliar += outcome.codes.tolist().count(_UNFAMILIAR)
            counts.text_bytes += _utf8_length(outcome.text)
            if outcome.second_opinion:
                counts.read_again += len(outcome.second_opinion.sentences)
            counts.topics.update(topic.topic for topic in outcome.topics)
            if outcome.encoding != "utf-8":
                counts.encodings[outcome.encoding] += 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Counts:
        """Return what ``to_dict`` was made from."""
        made: dict[str, Any] = {
            name: Counter(value) if isinstance(value, dict) else value
            for name, value in values.items()
        }
        return cls(**made)

    def add(self, other: Counts) -> None:
        """Add what was found in others."""
        for name, value in other.to_dict().items():
            setattr(self, name, getattr(self, name) + value)


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def make_summary(
    job: Job, opened: Opened, counts: Counts, seconds: float, *, exit_code: int | None = None
) -> dict[str, Any]:
    """Return the summary of a run.

    Args:
        job: What was to do.
        opened: What it was done with.
        counts: What was found.
        seconds: That the run took, with those of runs it went on from.
        exit_code: Of the command; None for 3 where records were rejected, else 0.
    """
    if exit_code is None:
        exit_code = _SOME_REJECTED if counts.rejects else 0
    return {
        "exit_code": exit_code,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(opened),
        "model": opened.model.reference,
        "model_sha256": _scorer_hashes(opened.model),
        "second_opinion": opened.second
        and {
            "model": opened.second.reference,
            "model_sha256": _scorer_hashes(opened.second),
            "sentences": counts.read_again,
            "share": counts.read_again / max(1, counts.sentences),
        },
        "inputs": [show_address(name) if is_address(name) else name for name in job.inputs],
        "output": job.output,
        "records": counts.read + counts.skipped.total(),
        "tagged": counts.records,
        "written": counts.written,
        "filtered": counts.filtered,
        "rejected": counts.rejects.total(),
        "rejects": dict(counts.rejects.most_common()),
        "skipped": dict(counts.skipped.most_common()),
        "encodings": dict(counts.encodings.most_common()),
        "sentences": counts.sentences,
        "unfamiliar_share": counts.unfamiliar / max(1, counts.sentences),
        "topics": {
            topic: {
                "records": counts.topics[topic],
                "share": counts.topics[topic] / max(1, counts.records),
            }
            for topic in opened.model.scorer.topics
        },
        "duplicates": counts.duplicates if job.dedupe else None,
        "repeated_ids": counts.repeated_ids,
        "text_bytes": counts.text_bytes,
        "seconds": round(seconds, 3),
        "megabytes_per_second": round(counts.text_bytes / 1e6 / max(1e-9, seconds), 3),
    }


def _versions(opened: Opened) -> dict[str, str]:
    """Return the versions of what the figures depend on."""
    libraries = ["numpy", "sentencex"]
    models = [model for model in opened[:2] if model]
    if any(model.scorer.uses_all_cores for model in models):
        libraries += ["torch", "transformers"]
    if any(model.scorer.backend == "compiled" for model in models):
        libraries.append("numba")
    found = {name: importlib.metadata.version(name) for name in libraries}
    return {"topicml": __version__, "python": platform.python_version(), **found}


def _scorer_hashes(model: Model) -> dict[str, str]:
    """Return the SHA-256 of the files that score."""
    files: dict[str, str] = model.manifest["files"]
    return {name: digest for name, digest in files.items() if name.endswith(_SCORES)}


def write_summary(summary: dict[str, Any], path: Path | None) -> None:
    """Write a summary; nothing where there is no file for it.

    Raises:
        OutputError: It cannot be written.
    """
    if path is None:
        return
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_text(path, text.encode("utf-8", "replace").decode("utf-8"))  # a file's name may be none
