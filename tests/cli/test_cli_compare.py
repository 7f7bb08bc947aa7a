import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import Result, Run, Tiny, assert_clean_failure, tiny_records, write_jsonl
from damage import copy_version, rewrite_file, rewrite_manifest

from topicml.models.folder import SCORER
from topicml.models.store import ModelStore


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path) -> ModelStore:
    """The tiny store with the same model again, and one that tags hardly anything."""
    root = Path(shutil.copytree(tiny.store.root, tmp_path / "models"))
    copy_version(root / "weekend/1.0.0", "1.1.0")
    worse = copy_version(root / "weekend/1.0.0", "1.2.0")
    np.savez(tmp_path / SCORER, **{**np.load(worse / SCORER), "thresholds": np.full(3, 0.999)})
    rewrite_file(worse, SCORER, (tmp_path / SCORER).read_bytes())
    return ModelStore(root)


def compare(run: Run, tiny: Tiny, store: ModelStore, *arguments: str | Path) -> Result:
    data = () if "--data" in arguments else ("--data", tiny.labels)
    return run(
        *("compare", *arguments, *data),
        *("--taxonomy", tiny.taxonomy, "--models-dir", store.root),
    )


def test_compare_says_what_differs_and_lets_promote_pass(
    run: Run, tiny: Tiny, store: ModelStore
) -> None:
    promote = ("models", "promote", "weekend@1.1.0", "--models-dir", store.root)
    refused = run(*promote)
    assert_clean_failure(refused, "was not compared", "topicml compare weekend@1.0.0 weekend@1.1.0")
    result = compare(run, tiny, store, "weekend", "weekend@1.1.0")
    assert result.code == 0, result.stderr
    for words in ("micro f1", "McNemar", "Calibration", "labels.jsonl", "Verdict: ok"):
        assert words in result.stdout
    assert "note: weekend@1.0.0 was trained on" in result.stderr
    promoted = run(*promote)
    assert (promoted.code, promoted.stdout) == (0, "weekend: current was 1.0.0, is 1.1.0\n")


def test_a_worse_model_ends_in_exit_code_4_and_is_not_promoted(
    run: Run, tiny: Tiny, store: ModelStore
) -> None:
    result = compare(run, tiny, store, "weekend", "weekend@1.2.0", "-f", "json", "--flips", "2")
    assert result.code == 4
    fields = json.loads(result.stdout, parse_constant=pytest.fail)
    assert fields["verdict"] == "refused"
    assert len(fields["flips"]) == 2
    assert fields["metrics"]["micro_f1"]["difference"] < 0
    promote = ("models", "promote", "weekend@1.2.0", "--models-dir", store.root)
    assert_clean_failure(
        run(*promote), "refused weekend@1.2.0 (micro_f1", "(labels.jsonl)", "--force"
    )
    assert run(*promote, "--force").stdout == "weekend: current was 1.0.0, is 1.2.0\n"


def test_a_report_takes_no_place_among_the_models(run: Run, tiny: Tiny, store: ModelStore) -> None:
    manifest = store.folder("weekend", "1.0.0") / "manifest.json"
    before = manifest.read_bytes()
    result = compare(run, tiny, store, "weekend", "weekend@1.1.0", "--html", manifest, "--force")
    assert_clean_failure(result, "manifest.json", "is one of the inputs")
    assert manifest.read_bytes() == before


def test_gate_file_decides(run: Run, tiny: Tiny, store: ModelStore, tmp_path: Path) -> None:
    gate = tmp_path / "gate.toml"
    gate.write_text("[gate]\nmicro_f1 = -1\n")
    result = compare(run, tiny, store, "weekend", "weekend@1.2.0", "--gate", gate)
    assert result.code == 0, result.stderr
    promote = ("models", "promote", "weekend@1.2.0", "--models-dir", store.root)
    assert_clean_failure(run(*promote), "not compared")  # under the gate of the name
    assert run(*promote, "--gate", gate).code == 0
    gate.write_text("[gate]\nmicro = 1\n")
    result = compare(run, tiny, store, "weekend", "weekend@1.2.0", "--gate", gate)
    assert_clean_failure(result, str(gate), "unknown limit 'micro'", "micro_f1")


def test_page_is_whole_and_escapes_text(
    run: Run, tiny: Tiny, store: ModelStore, tmp_path: Path
) -> None:
    hostile = "<script>alert('&')</script> The dough rises."
    rows = [{"id": "<i>x", "article": "<i>", "text": hostile, "topics": ["baking"]}]
    data = write_jsonl(tmp_path / "<b>.jsonl", [*tiny_records()[:2], *rows])
    page = tmp_path / "page.html"
    arguments = ("weekend@1.0.0", store.root / "weekend/1.2.0", "--data", data, "--html", page)
    result = compare(run, tiny, store, *arguments)
    assert result.code == 4, result.stderr
    text = page.read_text("utf-8")
    assert not re.search(r"<script|<i>|<b>|src=|href=|://", text)
    assert "&lt;script&gt;" in text
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, _attrs: object) -> None:
            if tag != "meta":
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(text)
    assert open_tags == []
    again = compare(run, tiny, store, *arguments)
    assert_clean_failure(again, str(page), "exists already", "--force")


def test_store_that_cannot_be_written_costs_no_figures(
    run: Run, tiny: Tiny, store: ModelStore
) -> None:
    (store.root / "weekend/comparisons.jsonl").mkdir()
    result = compare(run, tiny, store, "weekend", "weekend@1.1.0")
    assert result.code == 0
    assert "Verdict: ok" in result.stdout
    assert "not noted for topicml models promote" in result.stderr


def test_list_says_which_figures_are_of_the_same_set(run: Run, store: ModelStore) -> None:
    stated = json.loads((store.root / "weekend/1.2.0/manifest.json").read_text("utf-8"))
    files = {"labels.jsonl": "0" * 64}
    rewrite_manifest(store.root / "weekend/1.2.0", labels={**stated["labels"], "files": files})
    result = run("models", "list", "--models-dir", store.root)
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("weekend")]
    assert [row[-1] for row in rows] == ["1", "1", "2"]
    assert re.search(r"^set 1: \d+ sentences of 4 documents of labels.jsonl", result.stdout, re.M)
    assert "set 2: " in result.stdout
    assert "Figures of different sets say nothing of each other" in result.stdout


def test_nothing_to_compare_on_is_a_clean_failure(
    run: Run, tiny: Tiny, store: ModelStore, tmp_path: Path
) -> None:
    result = run(
        *("compare", "weekend", "weekend@1.1.0", "--models-dir", store.root),
        *("--taxonomy", tiny.taxonomy),
        cwd=tmp_path,
    )
    assert_clean_failure(result, "no label files", "--data")
