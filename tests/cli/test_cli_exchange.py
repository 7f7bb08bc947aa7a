import json
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure, write_jsonl


@pytest.fixture
def options(tiny: Tiny, tmp_path: Path) -> tuple[object, ...]:
    return ("--taxonomy", tiny.taxonomy, "-o", tmp_path / "new.jsonl")


def test_export_edit_dry_run_import(
    run: Run, tiny: Tiny, tmp_path: Path, options: tuple[object, ...]
) -> None:
    tool, output = tmp_path / "tool.jsonl", tmp_path / "new.jsonl"
    arguments = ("labels", "export", "-l", tiny.labels, "-f", "doccano", "-o", tool)
    exported = run(*arguments, "--taxonomy", tiny.taxonomy)
    lines = tool.read_text("utf-8").splitlines()
    assert exported.stdout == f"{len(lines)} sentences in {tool}\n"
    first = json.loads(lines[0])
    first["label"] = []
    tool.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", encoding="utf-8")

    output.write_bytes(tiny.labels.read_bytes())
    before = output.read_bytes()
    dry = run("labels", "import", tool, *options, "--dry-run")
    assert dry.code == 0
    counts, change = dry.stdout.splitlines()
    assert counts == f"would be {output}: 0 new, 1 changed, {len(lines) - 1} same, 0 skipped"
    assert change == f"{first['id']}: {', '.join(first['record_topics'])} | –"
    assert output.read_bytes() == before

    refused = run("labels", "import", tool, *options)
    assert_clean_failure(refused, f"{output}: exists already", "--force")
    assert run("labels", "import", tool, *options, "--append", "--force").code == 0
    after = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert (after[0]["topics"], after[0]["status"]) == ([], "single")
    assert "\n".join(output.read_text("utf-8").splitlines()[1:]) == "\n".join(
        tiny.labels.read_text("utf-8").splitlines()[1:]
    )


def test_import_says_what_is_skipped_taken_for_granted_and_open(
    run: Run, tmp_path: Path, options: tuple[object, ...]
) -> None:
    def task(number: int, *annotations: dict[str, object]) -> dict[str, object]:
        return {"id": number, "data": {"text": f"{number} is it."}, "annotations": annotations}

    def chosen(who: int, *names: str) -> dict[str, object]:
        value = {"from_name": "t", "type": "choices", "value": {"choices": names}}
        return {"completed_by": who, "result": [value]}

    tasks = [
        task(1, chosen(1, "Bread"), chosen(2, "Bread")),
        task(2, chosen(1, "sailing"), chosen(2)),
        task(3, {"was_cancelled": True, "result": []}),
        task(4),
    ]
    (tmp_path / "tool.json").write_text(json.dumps(tasks), encoding="utf-8")
    (tmp_path / "map.toml").write_text('"Bread" = "baking"\n', encoding="utf-8")
    unknown = run("labels", "import", tmp_path / "tool.json", *options)
    assert_clean_failure(unknown, "tool.json:1: unknown label 'Bread'", "--map")
    result = run(
        "labels", "import", tmp_path / "tool.json", *options, "--map", tmp_path / "map.toml"
    )
    output = tmp_path / "new.jsonl"
    assert result.stdout == f"{output}: 2 new, 0 changed, 0 same, 2 skipped\n"
    assert "skipped, not imported: was_cancelled 1, no annotation 1" in result.stderr
    assert "annotators disagree on 1 sentence, status skipped until decided: new-2" in result.stderr
    assert str(tmp_path / "annotations/annotations.jsonl") in result.stderr
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [(row["status"], row["topics"]) for row in rows] == [
        ("gold", ["baking"]),
        ("skipped", []),
    ]
    folder = tmp_path / "annotations"
    compared = run("labels", "agreement", "--annotations", folder, "--taxonomy", options[1])
    assert "new-2" in compared.stdout


def test_contradictions_are_told_and_nothing_is_written(
    run_here: Run, tmp_path: Path, options: tuple[object, ...]
) -> None:
    rows = [{"id": n, "text": "So.", "label": ["baking"] * n} for n in (0, 1)]
    tool = write_jsonl(tmp_path / "tool.jsonl", rows)
    result = run_here("labels", "import", tool, *options)
    assert_clean_failure(result, f"error: {tool}:2: same text as {tool}:1", "nothing was written")
    assert not (tmp_path / "new.jsonl").exists()


def test_export_names_what_is_lost_and_asks_for_a_format(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    arguments = ("labels", "export", "--labels", tiny.labels, "--taxonomy", tiny.taxonomy)
    lost = run(*arguments, "-o", tmp_path / "tool.txt")
    assert lost.code == 0
    assert "fasttext cannot hold, lost: id, article, source, " in lost.stderr
    unclear = run(*arguments, "-o", tmp_path / "tool.jsonl")
    assert_clean_failure(unclear, "could be doccano, prodigy, cats", "--format")


def test_output_is_never_an_input(run_here: Run, tiny: Tiny, options: tuple[object, ...]) -> None:
    before = tiny.labels.read_bytes()
    result = run_here("labels", "import", tiny.labels, *options[:2], "-o", tiny.labels, "--force")
    assert_clean_failure(result, "is one of the inputs")
    assert tiny.labels.read_bytes() == before
