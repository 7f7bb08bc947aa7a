"""What a run on Ray refuses, without a cluster; see tests/engines for one with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import Tiny
from reporters import Recorder

from topicml.batch.engines.ray import run_ray
from topicml.batch.job import Job
from topicml.errors import InputError, MissingExtraError


def test_ray_is_refused_what_needs_one_machine(tiny: Tiny, tmp_path: Path) -> None:
    there = Job(("in.jsonl",), str(tmp_path / "out.jsonl"), tiny.folder, dedupe=True)
    with pytest.raises(InputError, match="--engine local"):
        run_ray(there, Recorder())
    with pytest.raises(InputError, match="Leave out --limit"):
        run_ray(Job(("in.jsonl",), str(tmp_path / "out.jsonl"), tiny.folder, limit=1), Recorder())
    with pytest.raises(InputError, match="no standard input or output"):
        run_ray(Job(("-",), "out.jsonl", tiny.folder), Recorder())


def test_ray_that_is_missing_is_named_with_its_command(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": "Bread."}))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'topicml\[ray\]'"):
        run_ray(
            Job((str(tmp_path / "in.jsonl"),), str(tmp_path / "out.jsonl"), tiny.folder),
            Recorder(),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
