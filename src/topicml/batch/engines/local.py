"""Blocks through worker processes of this machine, or through this process, in order."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process

from topicml.batch.job import Job
from topicml.batch.opened import Opened, open_proven_models
from topicml.batch.worker import BlockWorker, Result
from topicml.errors import TopicmlError
from topicml.io import child
from topicml.io.blocks import Block

WAITING = 2  # blocks per process that are read ahead


def work_on(
    job: Job, opened: Opened, blocks: Iterator[Block]
) -> Generator[tuple[Block, Result], None, None]:
    """Work on blocks, in one process or several, and yield what came of each, in order.

    A model that computes on several cores by itself does so in this process, and is there once.
    No process is left when this ends.
    """
    try:
        yield from _work_on(job, opened, blocks)
    finally:
        child.close()


def _work_on(
    job: Job, opened: Opened, blocks: Iterator[Block]
) -> Generator[tuple[Block, Result], None, None]:
    jobs = job.jobs or 1
    if opened.tagger.uses_all_cores and job.jobs:
        opened.tagger.use_threads(job.jobs)
    if opened.tagger.uses_all_cores or jobs == 1:
        work = BlockWorker(job, opened)
        for block in blocks:
            yield block, work(block)
        return
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(job,)
    )
    waiting: deque[tuple[Block, Future[Result]]] = deque()
    try:
        for block in blocks:
            waiting.append((block, pool.submit(_work, block)))
            if len(waiting) > jobs * WAITING:
                yield _next_result(waiting)
        while waiting:
            yield _next_result(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next_result(waiting: deque[tuple[Block, Future[Result]]]) -> tuple[Block, Result]:
    block, future = waiting.popleft()
    return block._replace(items=()), future.result()


_worker: BlockWorker | TopicmlError | None = None


def _start_worker(job: Job) -> None:
    global _worker
    main = parent_process()
    if main:
        child.end_with(main.sentinel)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process says when to stop
    try:
        _worker = BlockWorker(job, open_proven_models(job))
    except TopicmlError as err:  # raised here, it would break the pool and be lost
        _worker = err


def _work(block: Block) -> Result:
    if not isinstance(_worker, BlockWorker):
        raise _worker or RuntimeError("the initializer did not run")
    return _worker(block)
