"""Errors of ``topicml distill`` that come before the extra it needs, or for want of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure

NEURAL = ("torch", "transformers", "peft", "safetensors")


@pytest.mark.parametrize("missing", NEURAL)
def test_missing_extra_ends_in_the_install_command(
    run: Run, tiny: Tiny, tmp_path: Path, missing: str
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in NEURAL:
        missing_code = f"raise ModuleNotFoundError({name!r})"
        (packages / f"{name}.py").write_text(missing_code if name == missing else "")
    result = run(
        *("distill", "--pool", tiny.labels, "--labels", tiny.labels, "--taxonomy", tiny.taxonomy),
        *("--work", tmp_path / "work", "--models-dir", tmp_path / "models"),
        env={"PYTHONPATH": os.pathsep.join([str(packages), *sys.path])},
    )
    assert_clean_failure(
        result, f"topicml distill needs {missing}", "pip install 'topicml[neural]'"
    )
    assert not (tmp_path / "work").exists()
    assert not (tmp_path / "models").exists()


def test_pool_is_asked_for(run_here: Run) -> None:
    assert_clean_failure(run_here("distill"), "--pool", code=2)
