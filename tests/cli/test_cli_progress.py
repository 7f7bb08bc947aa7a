"""How a batch run tells how it goes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Tiny, assert_clean_failure
from dumps import write_dump
from rich.console import Console

from topicml.batch.progress import Progress
from topicml.batch.summary import Counts
from topicml.cli.progress import JsonReporter, TerminalReporter


def steps() -> list[Progress]:
    counts = Counts(records=7, rejects=Counter(binary=2), skipped=Counter(image=1))
    return [
        Progress(read, 4_000, counts, is_resumed=True, seconds=seconds)
        for read, seconds in ((1_000, 70.0), (1_000, 71.0), (3_000, 74.0))
    ]


def told(interval: float, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    reporter = JsonReporter(interval)
    for step in steps():
        reporter.update(step)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_has_speed_and_rest_once_they_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(0, capsys)
    assert [line["seconds"] for line in lines] == [70, 71, 74]  # the run's own, not the reporter's
    assert [line["bytes_per_second"] for line in lines] == [None, None, 500]
    assert [line["seconds_left"] for line in lines] == [None, None, 2]
    last = lines[-1]
    assert (last["records"], last["tagged"], last["rejected"], last["skipped"]) == (10, 7, 2, 1)
    assert told(60, capsys) == []


def test_the_interval_is_for_json(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.jsonl", 1)
    arguments = ("batch", dump, "-o", "-", "--log-interval", "0", "--models-dir", tiny.store.root)
    assert_clean_failure(run(*arguments), "--log-interval is for --log-format json", code=2)
    lines = [json.loads(line) for line in run(*arguments, "--log-format=json").stderr.splitlines()]
    progress, summary = [line for line in lines if line["event"] != "note"]
    assert (progress["event"], progress["records"], summary["records"]) == ("progress", 1, 1)
    assert progress["seconds"] <= summary["seconds"]


@pytest.mark.parametrize(
    ("number", "size", "said"),
    [
        (1, 2_000, "1 of 1 record tagged with m: 1 sentence, 0.0% unfamiliar, 4.0 s, 500 B/s"),
        (2, 9_000, "2 of 2 records tagged with m: 2 sentences, 0.0% unfamiliar, 4.0 s, 2.2 KB/s"),
        (1, 0, "1 of 1 record tagged with m: 1 sentence, 0.0% unfamiliar, 4.0 s\n"),
        (1, 7e9, "4.0 s, 1.8 GB/s"),
    ],
)
def test_numbers_and_units_fit(
    capsys: pytest.CaptureFixture[str], number: int, size: float, said: str
) -> None:
    nothing = dict.fromkeys(("second_opinion", "rejected", "skipped", "encodings"))
    counts = dict.fromkeys(("tagged", "records", "sentences", "repeated_ids", "duplicates"), number)
    shares = {"unfamiliar_share": 0.0, "seconds": 4.0, "text_bytes": size, "topics": {}}
    reporter = TerminalReporter(Console(stderr=True, width=200, highlight=False))
    reporter.finish({**nothing, **counts, **shares, "model": "m"})
    shown = capsys.readouterr().err
    assert said in shown
    copies = {1: "1 near copy of earlier", 2: "2 near copies of earlier"}
    assert copies[number] in shown
