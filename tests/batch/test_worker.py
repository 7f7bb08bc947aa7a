import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from dumps import write_dump

from topicml.batch.job import Job
from topicml.batch.opened import open_proven_models
from topicml.batch.worker import BlockWorker
from topicml.io.readers import read_blocks
from topicml.io.sources import list_sources
from topicml.tagging.articles import TaggedArticle


def articles() -> int:
    return sum(type(held) is TaggedArticle for held in gc.get_objects())


def test_articles_are_gone_when_their_records_are_encoded(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = write_dump(tmp_path / "dump.jsonl", 20)
    job = Job((str(dump),), "-", tiny.folder, backend="reference")
    work = BlockWorker(job, open_proven_models(job))
    encode, before, held = work.writer.encode, articles(), []

    def counting(records: Sequence[dict[str, Any]]) -> bytes:
        held.append(articles() - before)
        return encode(records)

    monkeypatch.setattr(work.writer, "encode", counting)
    (block,) = read_blocks(list_sources([str(dump)]).sources, job.read_options(), None)
    assert work(block).piece.count(b"\n") == 20
    assert held == [0]
