"""The page on schemes: its commands run in order, its tables are whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import write_jsonl
from own_schemes import TAXONOMY, german_records

from topicml.project.folder import TAXONOMY as TAXONOMY_FILE
from topicml.project.start import start_project
from topicml.scheme import Scheme
from topicml.taxonomy import load_taxonomy

PAGE = (Path(__file__).parents[1] / "docs/schemes.md").read_text("utf-8")


def run_commands(block: str, folder: Path) -> str:
    commands = "\n".join(re.findall(r"^\$ (.*)$", block, re.M))
    script = f'topicml() {{ {sys.executable} -m topicml "$@"; }}\n{commands}'
    done = subprocess.run(
        ["bash", "-exc", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_run_from_an_empty_folder_to_tags(tmp_path: Path) -> None:
    first, then = re.findall(r"```console\n(.*?)```", PAGE, re.S)
    run_commands(first, tmp_path)
    project = tmp_path / "letters"
    assert load_taxonomy(project / TAXONOMY_FILE).scheme == Scheme("multilabel", "de")
    (project / TAXONOMY_FILE).write_text(TAXONOMY.format(kind="multilabel"), "utf-8")
    write_jsonl(project / "data/labels/labels.jsonl", german_records())
    (project / "models/freizeit").mkdir()
    (project / "models/freizeit/parameters.json").write_text('{"char_ngrams": null}')
    (project / "letter.txt").write_text("Das Boot liegt im Hafen. Der Teig ist im Ofen.", "utf-8")
    write_jsonl(project / "letters.jsonl", [{"id": "1", "text": "Das Boot liegt im Hafen."}])
    said = run_commands(then, project)
    assert "2 of 2 sentences tagged, model freizeit@1.0.0" in said
    assert '"segeln"' in (project / "tags.jsonl").read_text("utf-8")


def keys_of_table(heading: str) -> set[str]:
    (table,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.M)
    return set(re.findall(r"^\| `(\w+)` ", table, re.M))


class Asked(dict[str, Any]):
    """A table that notes which keys are asked for."""

    keys_asked: set[str]

    def __init__(self, table: dict[str, Any]) -> None:
        super().__init__(table)
        self.keys_asked = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.keys_asked.add(key)
        return super().get(key, default)


def test_every_key_that_is_read_is_in_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_project(tmp_path, "mine", Scheme())
    read = Asked(tomllib.loads((tmp_path / TAXONOMY_FILE).read_text("utf-8")))
    topic, case = Asked(read["topics"][0]), Asked(read["cases"][0])
    read["topics"][0], read["cases"][0] = topic, case
    monkeypatch.setattr(tomllib, "loads", lambda _: read)
    load_taxonomy(tmp_path / TAXONOMY_FILE)
    assert read.keys_asked == keys_of_table("key")
    assert topic.keys_asked == keys_of_table("key of a topic")
    assert case.keys_asked == keys_of_table("key of a case")
