import io
from pathlib import Path

import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st
from reading import jsonl
from reporters import Recorder, Stopper
from rich.console import Console

from topicml.batch.job import Job
from topicml.batch.repeated_ids import SeenIds, id_hashes
from topicml.batch.run import run_batch
from topicml.cli.progress import TerminalReporter


@given(st.lists(st.lists(st.sampled_from("abcdé"), max_size=6)))
def test_every_id_but_the_first_of_its_kind_is_counted(blocks: list[list[str]]) -> None:
    seen = SeenIds()
    count = sum(seen.add(id_hashes(ids)) for ids in blocks)
    ids = [identifier for block in blocks for identifier in block]
    assert count == len(ids) - len({*ids})


@pytest.mark.parametrize("dedupe", [False, True])
def test_a_run_that_goes_on_counts_over_all_of_it(tiny: Tiny, tmp_path: Path, dedupe: bool) -> None:
    dump, out = tmp_path / "dump.jsonl", tmp_path / "out.jsonl"
    records = [{"id": n % 30, "text": f"Bread and sails {n}."} for n in range(100)]
    dump.write_bytes(jsonl(*records, {"text": "Wind."}, {"text": "Wind."}))
    job = Job((str(dump),), str(out), tiny.folder, block_bytes=500, dedupe=dedupe)
    with pytest.raises(KeyboardInterrupt):
        run_batch(job, io.BytesIO(), io.BytesIO(), Stopper(4))
    summary = run_batch(job, io.BytesIO(), io.BytesIO(), Recorder())
    assert summary["repeated_ids"] == 70
    said = io.StringIO()
    TerminalReporter(Console(file=said, width=100)).finish(summary)
    assert "70 records with the id of an earlier one" in said.getvalue()
