"""What came of a batch run, in figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topicml.batch.job import Job
from topicml.files import beside, write_text
from topicml.models.folder import Model
from topicml.tagging.tagger import Counts


def make_summary(job: Job, model: Model, counts: Counts, seconds: float) -> dict[str, Any]:
    """Return the summary of a run.

    Args:
        job: What was to do.
        model: The model.
        counts: What was found.
        seconds: That the run took, with those of runs it went on from.
    """
    rejected = sum(counts.rejects.values())
    return {
        "model": model.reference,
        "inputs": list(job.inputs),
        "output": job.output,
        "records": counts.records + rejected,
        "tagged": counts.records,
        "rejected": rejected,
        "rejects": dict(counts.rejects.most_common()),
        "sentences": counts.sentences,
        "unfamiliar_share": counts.unfamiliar / max(1, counts.sentences),
        "topics": {
            topic: {
                "records": counts.topics[topic],
                "share": counts.topics[topic] / max(1, counts.records),
            }
            for topic in model.scorer.topics
        },
        "duplicates": counts.duplicates if job.dedupe else None,
        "text_bytes": counts.text_bytes,
        "seconds": round(seconds, 3),
        "megabytes_per_second": round(counts.text_bytes / 1e6 / max(1e-9, seconds), 3),
    }


def write_summary(summary: dict[str, Any], output: Path) -> None:
    """Write a summary beside the output.

    Raises:
        OutputError: It cannot be written.
    """
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_text(beside(output, ".summary.json"), text)
