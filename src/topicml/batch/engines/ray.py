"""A batch run on a Ray cluster: the same blocks and the same worker as on one machine.

Files are cut into blocks by tasks and tagged by actors, each of which opens the model once. So
what is rejected, and what each record says, is what ``run_batch`` has. Blocks do not keep their
order on the way, but shards have names that do.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pickle
import socket
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from topicml.batch.job import Job, make_output
from topicml.batch.opened import open_proven_models
from topicml.batch.prepare import prepare
from topicml.batch.progress import Progress, ProgressReporter
from topicml.batch.repeated_ids import SeenIds
from topicml.batch.shards import Shards
from topicml.batch.summary import Counts, make_summary, write_summary
from topicml.batch.tolerance import check_rejects
from topicml.batch.worker import BlockWorker
from topicml.errors import InputError, TopicmlError
from topicml.io.blocks import Block
from topicml.io.optional_dependencies import load
from topicml.io.readers import read_blocks
from topicml.io.records import reject_lines
from topicml.io.remote import is_address
from topicml.io.sources import Source, size_of
from topicml.io.writers.writer import Writer
from topicml.stopping import check_stopped

SHARD_BYTES = 32_000_000
"""Input of about so many bytes becomes one shard of the output."""

_CPUS_PER_READER = 8  # reading is a small part of the work
_QUIET = {"RAY_DATA_LOG_LEVEL": "ERROR", "RAY_BACKEND_LOG_LEVEL": "fatal"}
_KNOCK_SECONDS = 10.0
_EXTRA = ("ray", "a batch run on Ray")


class _Result(NamedTuple):
    """What came of a shard, and which files there are of it."""

    place: str  # where in the input it is from
    size: int  # bytes read
    counts: Counts
    ids: bytes  # hashes of the records' ids
    has_records: bool
    has_rejects: bool


def run_ray(job: Job, reporter: ProgressReporter, address: str | None = None) -> dict[str, Any]:
    """Tag a dump on a Ray cluster.

    The output is a folder of shards; the rejects and the summary are files beside it, as those of
    ``run_batch``. All machines must see inputs, output and model under the same paths, and have
    topicml installed.

    Args:
        job: What to do. ``jobs`` is how many processes a Ray started here has; a cluster gives
            as many as it has.
        address: Of the cluster; for None the one of ``RAY_ADDRESS``, else a Ray of this machine
            that is started for the run. One that the program is connected to is used as it is.
        reporter: Told of progress after each shard.

    Returns:
        The summary, as it stands in ``OUT.summary.json``.

    Raises:
        InputError: An input is missing, something is there already, or the job is one for a
            single machine.
        OutputError: The output cannot be written, or is not seen by all machines.
        ModelError: The model is damaged.
        StrictError: A record cannot be tagged, and ``strict`` was asked for.
        TooManyRejectsError: More records cannot be tagged than ``max_rejects``, or none can.
        MissingExtraError: Ray is not installed.
    """
    started = time.monotonic()
    _check(job)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    for name, level in _QUIET.items():
        os.environ.setdefault(name, level)
    for name in ("ray", "ray.data", "pyarrow"):
        load(name, *_EXTRA)
    second = job.second.absolute() if job.second else None
    job = replace(job, model=job.model.absolute(), second=second)
    job, opened, sources, _, total = prepare(job, reporter)
    shards = Shards(job.output_path().absolute(), job.rejects_path().absolute())
    shards.start([source.path for source in sources if source.path], force=job.force)
    counts, seen, ids = Counts(), 0, SeenIds()
    places: list[str] = []
    rejected: list[str] = []
    try:
        with _connected(job, address), contextlib.closing(_work(job, sources, shards)) as results:
            for result in results:
                counts.add(result.counts)
                counts.repeated_ids += ids.add(result.ids)
                seen += result.size
                places += [result.place] * result.has_records
                rejected += [result.place] * result.has_rejects
                check_stopped()
                seconds = time.monotonic() - started
                reporter.update(Progress(seen, total, counts, False, seconds))
                check_rejects(counts.rejects, counts.read, job.max_rejects, at_end=False)
        check_rejects(counts.rejects, counts.read, job.max_rejects, at_end=True)
        shards.finish(places, rejected, Writer(make_output(job, opened.model)))
    except BaseException:
        shards.discard()
        raise
    summary = make_summary(job, opened, counts, time.monotonic() - started)
    write_summary(summary, job.summary_path())
    return summary


def _check(job: Job) -> None:
    if "-" in (*job.inputs, job.output):
        raise InputError(
            "a cluster has no standard input or output", hint="Name files that all machines see."
        )
    if any(map(is_address, (*job.inputs, job.output))):
        raise InputError(
            "this engine reads and writes files that all machines see, and no addresses",
            hint="Use --engine local, or Ray Data with tag_batch: docs/clusters.md.",
        )
    if job.partition_by:
        raise InputError(
            "shards are by place in the input, and not by field",
            hint="Leave out --partition-by, or use --engine local.",
        )
    if job.limit is not None:
        raise InputError(
            "records are counted on one machine only",
            hint="Leave out --limit, or use --engine local.",
        )
    if job.dedupe:
        raise InputError(
            "near copies are found on one machine only: each record is compared with those "
            "before it",
            hint="Leave out --dedupe, or use --engine local.",
        )


@contextlib.contextmanager
def _connected(job: Job, address: str | None) -> Iterator[None]:
    """Be connected to a cluster, and leave it as it was found."""
    ray = load("ray", *_EXTRA)
    if ray.is_initialized():
        yield
        return
    place = address or os.environ.get("RAY_ADDRESS") or "local"
    _check_reachable(place)
    own: dict[str, Any] = {"num_cpus": job.jobs or 1, "include_dashboard": False}
    try:
        ray.init(
            address=place,
            log_to_driver=False,
            logging_level="error",
            **(own if place == "local" else {}),
        )
    except (ConnectionError, ValueError, RuntimeError) as err:
        raise _unreachable(place, err) from err
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Knock where the cluster is said to be, for Ray itself would try for minutes.

    Raises:
        InputError: Nobody answers.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto", "local"
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
    except (OSError, OverflowError) as err:
        raise _unreachable(address, err) from err


def _unreachable(address: str, err: Exception) -> InputError:
    return InputError(
        f"no Ray cluster can be reached ({err})", where=address, hint="Check --address."
    )


def _work(job: Job, sources: list[Source], shards: Shards) -> Generator[_Result, None, None]:
    """Yield what came of each shard, in any order."""
    ray, data = load("ray", *_EXTRA), load("ray.data", *_EXTRA)
    context = data.DataContext.get_current()
    before = context.target_max_block_size, context.enable_progress_bars
    context.target_max_block_size, context.enable_progress_bars = SHARD_BYTES, False
    shares = list(enumerate(_share_out(sources)))
    readers = -(-int(ray.cluster_resources().get("CPU", 1)) // _CPUS_PER_READER)
    try:
        blocks = data.from_items(
            [{"share": pickle.dumps(share)} for share in shares],
            override_num_blocks=max(1, len(shares)),
        ).map_batches(
            _read,
            fn_args=(job,),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=0,  # so that actors may have all
            concurrency=readers,
        )
        results = blocks.map_batches(
            _Tag,
            fn_constructor_args=(job, shards),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=1,
            compute=data.ActorPoolStrategy(min_size=1),
        )
        for row in results.iter_rows() if shares else ():
            result = pickle.loads(row["result"])  # noqa: S301 - made by this run
            if isinstance(result, TopicmlError):
                raise result
            yield result
    finally:
        context.target_max_block_size, context.enable_progress_bars = before


def _share_out(sources: list[Source]) -> Iterator[list[Source]]:
    """Yield files for a task each: a large one, or several small ones, so not each is a shard."""
    held: list[Source] = []
    size = 0
    for source in sources:
        path = str(Path(str(source.path)).absolute())  # tasks may run in another folder
        held.append(source._replace(path=path))
        size += size_of(source) or 0
        if size >= SHARD_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _read(table: Any, job: Job) -> Iterator[Any]:
    """Yield the blocks of a share, one a row."""
    options, no_input = job.read_options(), io.BytesIO()
    for packed in table["share"].to_pylist():
        share, sources = pickle.loads(packed)  # noqa: S301 - made by this run
        blocks = read_blocks(sources, options, no_input, block_bytes=job.block_bytes)
        for number, block in enumerate(blocks):
            yield _row(share=share, number=number, block=pickle.dumps(block))


class _Tag:
    """Makes a shard of some blocks; one for each process."""

    def __init__(self, job: Job, shards: Shards) -> None:
        self._job = job
        self._shards = shards

    def __call__(self, table: Any) -> Any:
        """Write the shard, and return what is in it, or the error that ends the run."""
        if not table.num_rows:
            return _row(result=b"").slice(0, 0)
        place = f"{table['share'][0].as_py():06d}-{table['number'][0].as_py():08d}"
        try:
            result: _Result | TopicmlError = self._tag(table["block"], place)
        except TopicmlError as err:  # what Ray makes of an error is not what it was
            result = err
        return _row(result=pickle.dumps(result))

    @functools.cached_property
    def _worker(self) -> BlockWorker:
        return BlockWorker(self._job, open_proven_models(self._job))

    def _tag(self, blocks: Any, place: str) -> _Result:
        counts, size = Counts(), 0
        pieces, rejects, ids = [], [], []
        for packed in blocks:
            block: Block = pickle.loads(packed.as_py())  # noqa: S301 - made by this run
            result = self._worker(block)
            pieces.append(result.piece)
            rejects.append(reject_lines(result.rejects))
            counts.add(result.counts)
            ids.append(result.ids)
            size += block.size
        self._shards.write(place, pieces, b"".join(rejects), self._worker.writer)
        return _Result(place, size, counts, b"".join(ids), any(pieces), any(rejects))


def _row(**values: int | bytes) -> Any:
    pa = load("pyarrow", *_EXTRA)
    types = {int: pa.int64(), bytes: pa.large_binary()}
    return pa.table({name: pa.array([v], types[type(v)]) for name, v in values.items()})
