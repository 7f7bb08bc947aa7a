"""Blocks through worker processes of this machine, or through this process, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from topicml.batch.engines.processes import WorkerEndedError, WorkerProcess
from topicml.batch.job import Job
from topicml.batch.opened import Opened
from topicml.batch.worker import BlockWorker, Result
from topicml.errors import WorkerError
from topicml.io import child
from topicml.io.blocks import Block

WAITING = 2  # blocks per process that are read ahead


def work_on(
    job: Job, opened: Opened, blocks: Iterator[Block], note: Callable[[str], None]
) -> Generator[tuple[Block, Result], None, None]:
    """Work on blocks, in one process or several, and yield what came of each, in order.

    A model that computes on several cores by itself does so in this process, and is there once.
    No process is left when this ends.

    Args:
        job: What to do.
        opened: Proven, for the work in this process.
        blocks: Of the input.
        note: Told where a block is worked on again.

    Raises:
        WorkerError: A worker process was killed twice over one block.
    """
    try:
        yield from _work_on(job, opened, blocks, note)
    finally:
        child.close()


def _work_on(
    job: Job, opened: Opened, blocks: Iterator[Block], note: Callable[[str], None]
) -> Generator[tuple[Block, Result], None, None]:
    jobs = job.jobs or 1
    if opened.tagger.uses_all_cores and job.jobs:
        opened.tagger.use_threads(job.jobs)
    if opened.tagger.uses_all_cores or jobs == 1:
        work = BlockWorker(job, opened)
        for block in blocks:
            yield block, work(block)
        return
    workers = _Workers(job, jobs)
    waiting: deque[tuple[Block, Future[Result]]] = deque()
    try:
        for block in blocks:
            waiting.append((block, workers.submit(block)))
            if len(waiting) > jobs * WAITING:
                yield _next_result(waiting, workers, note)
        while waiting:
            yield _next_result(waiting, workers, note)
    finally:
        workers.kill()


def _next_result(
    waiting: deque[tuple[Block, Future[Result]]], workers: _Workers, note: Callable[[str], None]
) -> tuple[Block, Result]:
    block, future = waiting.popleft()
    try:
        result = future.result()
    except WorkerEndedError as err:
        note(f"{err}; what it was working on is done again")
        result = _work_again(block, workers)
    return block._replace(items=()), result


def _work_again(block: Block, workers: _Workers) -> Result:
    try:
        return workers.submit(block).result()
    except WorkerEndedError as err:
        raise WorkerError(
            f"{err} twice over the same records",
            where=f"{block.items[0].source}:{block.items[0].number}",
            hint="Where memory is short, give fewer --jobs.",
        ) from err


class _Workers:
    """Worker processes, each started when there is work for it and driven by a thread.

    Args:
        job: What to do.
        count: How many processes at most.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._job = job
        self._threads = ThreadPoolExecutor(count)
        self._started: list[WorkerProcess] = []
        self._idle: deque[WorkerProcess] = deque()
        self._starting = threading.Lock()
        self._is_over = False

    def submit(self, block: Block) -> Future[Result]:
        """Have a block worked on."""
        return self._threads.submit(self._work, block)

    def _work(self, block: Block) -> Result:
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = self._start()
        try:
            return worker(block)
        finally:
            if worker.is_alive():
                self._idle.append(worker)

    def _start(self) -> WorkerProcess:
        with self._starting:
            if self._is_over:
                raise RuntimeError("a process was to be started after the end")
            worker = WorkerProcess(self._job)
            self._started.append(worker)
        return worker

    def kill(self) -> None:
        """End all processes at once, whatever they are in."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._starting:
            self._is_over = True
            for worker in self._started:
                worker.kill()
        self._threads.shutdown()
