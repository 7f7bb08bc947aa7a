"""The reference of commands is current, and what CONTRIBUTING.md names is there."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import tiny_records, write_jsonl

from topicml.models.gate import DEFAULT_GATE, LARGEST, SMALLEST

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TYPER = importlib.metadata.version("typer")


@pytest.mark.skipif(not TYPER.startswith("0.28."), reason="other Typers word the page otherwise")
def test_reference_of_commands_is_current(tmp_path):
    (line,) = re.findall(r"-m (typer topicml\.cli\.tree .*) --output docs/cli.md", MAKEFILE)
    made = tmp_path / "cli.md"
    subprocess.run([sys.executable, "-m", *line.split(), "--output", made], cwd=ROOT, check=True)
    committed = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert committed == made.read_text(encoding="utf-8"), "run: make docs"
    assert "\n### `topicml models verify`\n" in committed


def test_paths_of_the_contributing_guide_are_there():
    named = re.findall(r"`((?:src|tests|docs|data|models|benchmarks)/[\w./-]+)`", CONTRIBUTING)
    real = [name for name in named if "FORMAT" not in name and "NAME" not in name]
    assert len(real) >= 6
    assert [name for name in real if not (ROOT / name).exists()] == []


def test_make_targets_of_the_contributing_guide_are_there():
    named = set(re.findall(r"`make (\w[\w-]*)`", CONTRIBUTING))
    assert {"check", "docs", "soak"} <= named
    assert [name for name in named if not re.search(rf"^{name}:", MAKEFILE, re.M)] == []


def test_notebook_runs_from_its_first_block_to_its_last(tmp_path):
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, tmp_path / name)
    page = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "diplomacy 0.99 (0,)"
    assert lines[1] == "0 48 The two ministers will meet in Manila on Friday. None"
    assert lines[2:4] == ["0 ['force-posture'] None", "1 [] no_topic"]
    assert lines[4].startswith("(2, 9) ('command-structure', 'extended-deterrence', ")
    assert lines[5].startswith("my-models/alliance-topics/1.0.0 0.6")
    assert lines[6].endswith(
        "The model was trained on these very sentences: the figures say nothing."
    )
    assert lines[7].startswith("Interval(value=1.0, low=0.47817")
    assert lines[8] == "ok -0.003 True"
    assert lines[9] == (
        "1 alliance-topics@1.2.0 was trained on 116 of these 116 sentences; "
        "label files not here, so it may be more: authored.jsonl, real.jsonl"
    )
    assert lines[10:12] == [
        "Both navies trained off Okinawa. ['force-posture']",
        "The museum opens at nine. []",
    ]
    assert lines[12] == "('cooking', 'garden') 1.0"
    assert len(lines) == 13


def test_retraining_runs_from_an_export_to_rollback(tiny, tmp_path):
    page = (ROOT / "docs/retraining.md").read_text(encoding="utf-8")
    block = page.split("```console\n")[1].split("```")[0]
    commands = re.findall(r"^\$ (.*)$", block, re.M)
    assert 4 <= len(commands) < 10
    (gate,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    rows = tiny_records()
    for name, part in {"doccano": rows[:39], "doccano-later": rows[39:]}.items():
        exported = [  # as doccano does: whole numbers for ids, names of labels as shown
            {"id": n, "text": row["text"], "label": row["topics"], "article": row["article"]}
            for n, row in enumerate(part, start=1 if name == "doccano" else 100)
        ]
        write_jsonl(tmp_path / f"{name}.jsonl", exported)
    write_jsonl(tmp_path / "held-out.jsonl", UNSEEN)
    (tmp_path / "gate.toml").write_text(gate, encoding="utf-8")
    taxonomy = tiny.taxonomy.read_text("utf-8").replace('"weekend"', '"my-topics"', 1)
    (tmp_path / "mine.toml").write_text(taxonomy, encoding="utf-8")
    start = commands.index("cd my-topics") + 1
    written = [  # what a person does between: topics, limits, and parameters that are quick
        "cp ../mine.toml data/labels/taxonomy.toml",
        "mkdir -p models/my-topics",
        f"cp ../gate.toml {tiny.parameters} models/my-topics",
    ]
    topicml = f'topicml() {{ {sys.executable} -m topicml "$@"; }}'
    done = subprocess.run(
        ["bash", "-exc", "\n".join([topicml, *commands[:start], *written, *commands[start:]])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "on near copies of 1 more" in done.stderr
    assert "Verdict: ok" in done.stdout
    assert "my-topics: current was 1.0.0, is 1.1.0" in done.stdout
    assert "my-topics: current was 1.1.0, is 1.0.0" in done.stdout
    project = tmp_path / "my-topics"
    assert (project / "comparison.html").stat().st_size > 1000
    first, later = ((project / f"data/labels/{n}.jsonl").read_text() for n in ("first", "later"))
    assert first.count("\n") + later.count("\n") == len(rows)


UNSEEN = [
    {"id": str(n), "article": str(n), "text": text, "topics": topics}
    for n, (text, topics) in enumerate(
        [
            ("Yeast makes bread rise before it goes into a hot oven.", ["baking"]),
            ("Butter the tin, then bake the cake slowly.", ["baking"]),
            ("Seeds sprout in warm soil beside the roses.", ["gardening"]),
            ("A boat with torn sails reached the harbour.", ["sailing"]),
            ("The wind took the yacht past the lighthouse.", ["sailing"]),
            ("The telephone rang all through dinner.", []),
            ("The bread rises under a warm cloth. Friday brought heavy grey rain, 1.", ["baking"]),
        ]
    )
]


def test_keys_of_a_gate_are_on_the_page_of_retraining():
    page = (ROOT / "docs/retraining.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    gate = tomllib.loads(text)["gate"]
    assert gate.keys() == {*SMALLEST, *LARGEST, "topic_f1", "topic_support", "floors"}
    assert str(DEFAULT_GATE.topic_support) in page
    for name, limit in {**DEFAULT_GATE.limits, "topic_f1": DEFAULT_GATE.topic_f1}.items():
        assert f"| `{name}` | {limit:g} |".replace("-", "−") in page
