"""What a batch run would do, without doing it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from topicml.batch.checkpoint import read_done
from topicml.batch.job import Job
from topicml.batch.prepare import check, make_checkpoint
from topicml.batch.progress import ProgressReporter
from topicml.batch.run import make_identity
from topicml.batch.summary import Counts
from topicml.io.readers import first_fields
from topicml.io.sources import Source, size_of
from topicml.io.writers.output import output_kind


def plan_batch(job: Job, reporter: ProgressReporter) -> dict[str, Any]:
    """Say what a run would read and write. Nothing is written, and standard input not read.

    Args:
        job: What would be to do.
        reporter: Told of what is skipped.

    Returns:
        Values as JSON has them: ``files``, ``bytes``, ``readers``, ``fields`` of the first file's
        first record, ``model``, ``output`` and its companions, and what of it is ``done``.

    Raises:
        TopicmlError: Whatever would keep the run from starting, but for damage that shows only
            when the model computes.
    """
    job, opened, sources, _, _ = check(job, reporter)
    files = [_about(source) for source in sources]
    sizes = [file["bytes"] for file in files]
    kind, compression = output_kind(job.output)
    plan: dict[str, Any] = {
        "files": files,
        "bytes": None if None in sizes else sum(sizes),
        "readers": dict(Counter(file["reader"] for file in files).most_common()),
        "fields": list(first_fields(sources[0], job.read_options())) if sources else [],
        "model": opened.model.reference,
        "output": job.output,
        "format": kind,
        "compression": compression,
        "rejects": str(job.rejects) if job.rejects else None,
        "summary": None if (path := job.summary_path()) is None else job.uploads().shown(path),
        "done": None,
    }
    if job.streams:
        return plan
    path = job.output_path()
    make_checkpoint(job).check_new(force=job.force)
    plan["rejects"] = job.uploads().shown(job.rejects_path())
    done = [] if job.force else read_done(path, make_identity(job, opened, sources))
    if done:
        counts = Counts()
        for entry in done:
            counts.add(Counts.from_dict(entry["counts"]))
        plan["done"] = {"records": counts.read, "bytes": sum(entry["size"] for entry in done)}
    return plan


def _about(source: Source) -> dict[str, Any]:
    is_there = source.remote or (source.path and Path(source.path).is_file())
    size = size_of(source) if is_there else None
    return {"name": source.name, "bytes": size, "reader": source.format or "by content"}
