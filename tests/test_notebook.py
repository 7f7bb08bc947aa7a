"""The notebook runs from its first cell to its last, and is committed without outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_DEV = "needs nbclient and ipykernel, of the extra dev"
nbclient = pytest.importorskip("nbclient", reason=_DEV)
nbformat = pytest.importorskip("nbformat", reason=_DEV)
pytest.importorskip("ipykernel", reason=_DEV)

ROOT = Path(__file__).parents[1]
NOTEBOOK = nbformat.read(ROOT / "docs/retraining.ipynb", as_version=4)


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def shown(cell: Any) -> Any:
    (output,) = (output for output in cell.outputs if output.output_type == "execute_result")
    return output.data


def test_is_committed_without_outputs() -> None:
    nbformat.validate(NOTEBOOK)
    cells = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    assert all((cell.outputs, cell.execution_count) == ([], None) for cell in cells)


def test_runs_from_its_first_cell_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of matrices this small two only wait
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    notebook = nbformat.from_dict(NOTEBOOK)
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": ROOT / "docs"}},
        kernel_name="python3",
    ).execute()
    _, labels, _, training, evaluation, comparison, *_, same, refitted = (
        cell for cell in notebook.cells if cell.cell_type == "code"
    )
    assert printed(labels) == "some.jsonl 200 sentences\nheld-out.jsonl 210 sentences\n"
    assert "evaluating by cross-validation" in printed(training)
    assert "my-topics/1.0.0" in shown(training)["text/plain"]
    assert "<td>diplomacy</td>" in shown(training)["text/html"]
    assert "my-topics@1.0.0 on held-out.jsonl" in shown(evaluation)["text/html"]
    said = shown(comparison)["text/plain"]
    assert said.startswith("my-topics@1.1.0 in place of my-topics@1.0.0: ")
    assert "my-topics@1.0.0 was trained on 0 of these 210 sentences." in said
    assert printed(same).count("say the same of 500 sentences") == 2
    assert float(printed(refitted).split()[-1]) > 0.1
