import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run, Tiny, assert_clean_failure, write_jsonl

from topicml.labels.annotations import FILE, AnnotationStore
from topicml.labels.records import Annotation
from topicml.labels.texts import sha1_of

TEXTS = {
    "s1": "The dough rises.",
    "s2": "Roses\x1b[31m and wind.",
    "s3": "Beans and boats.",
    "s4": "Nothing at all.",
    "s5": "Bread on a boat.",
}
READINGS = {
    "s1": (["baking"], ["baking"]),
    "s2": (["gardening"], ["gardening", "sailing"]),
    "s3": (["gardening"], []),
    "s4": ([], None),
    "s5": (["baking"], ["sailing"]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = AnnotationStore(tmp_path / "annotations")
    for identifier, readings in READINGS.items():
        for name, topics in zip(("kim", "lee"), readings, strict=True):
            store.append(
                [
                    Annotation(
                        identifier,
                        tuple(topics or ()),
                        name,
                        sha1=sha1_of(TEXTS[identifier]),
                        skipped=topics is None,
                        note="is that one?" if topics == [] else "",
                    )
                ]
            )
    return store.folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    rows: list[dict[str, Any]] = [
        {"id": i, "article": "a", "text": text, "topics": [], "status": "single"}
        for i, text in reversed(TEXTS.items())
    ]
    return write_jsonl(tmp_path / "labels.jsonl", rows)


def words(stdout: str, first: str) -> list[str]:
    (line,) = [line for line in stdout.splitlines() if line.startswith(first + " ")]
    return line.split()[1:]


def test_counts_are_per_annotator_and_rule_and_disagreements_are_listed(
    run: Run, folder: Path
) -> None:
    adjudication = Annotation("s5", ("sailing",), "sam", adjudicated=True)
    AnnotationStore(folder).append([adjudication])
    result = run("labels", "annotations", "--annotations", folder)
    assert result.code == 0
    assert words(result.stdout, "kim") == ["5", "0", "0"]
    assert words(result.stdout, "lee") == ["4", "1", "0"]
    assert words(result.stdout, "sam") == ["0", "0", "1"]
    for rule, count in [("adjudicated", 1), ("agreement", 1), ("single", 1), ("skipped", 0)]:
        assert words(result.stdout, rule) == [str(count)]
    assert words(result.stdout, "disagreement") == ["2"]
    assert "s2: kim: gardening | lee: gardening, sailing\n" in result.stdout
    assert "s3: kim: gardening | lee: –\n" in result.stdout
    assert "s5:" not in result.stdout


def test_a_folder_of_annotations_that_is_not_there_is_a_clean_failure(run_here: Run) -> None:
    for command in ("annotations", "agreement"):
        result = run_here("labels", command, "--annotations", "/nowhere")
        assert_clean_failure(result, "/nowhere", "no such folder", "Check the path")


def test_gold_is_a_label_file_that_check_accepts(
    run: Run, tiny: Tiny, tmp_path: Path, folder: Path, labels: Path
) -> None:
    output = tmp_path / "gold.jsonl"
    options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy, "-o", output)
    result = run("labels", "gold", *options)
    assert (result.code, result.stdout) == (0, "")
    assert "2 labels written; 3 sentences without a decision" in result.stderr
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [(r["id"], r["topics"], r["annotator"], r["status"]) for r in rows] == [
        ("s1", ["baking"], "kim, lee", "gold"),
        ("s4", [], "kim", "single"),
    ]
    assert rows[0]["text"] == TEXTS["s1"]
    check = run("labels", "check", "-l", output, "--taxonomy", tiny.taxonomy)
    assert check.code == 0, check.stdout
    assert_clean_failure(run("labels", "gold", *options), str(output), "exists already", "--force")
    assert run("labels", "gold", *options, "--force").code == 0


def test_gold_is_never_written_over_what_it_is_made_of(
    run_here: Run, tiny: Tiny, folder: Path, labels: Path
) -> None:
    for path in (labels, folder / FILE):
        before = path.read_bytes()
        options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy)
        result = run_here("labels", "gold", *options, "-o", path, "--force")
        assert_clean_failure(result, "is one of the inputs")
        assert path.read_bytes() == before


def test_gold_tells_of_sentences_it_cannot_find_or_that_changed(
    run: Run, tiny: Tiny, tmp_path: Path, folder: Path
) -> None:
    rows = [{"id": "s1", "text": "Another.", "topics": []}]
    other = write_jsonl(tmp_path / "other.jsonl", rows)
    options = ("--annotations", folder, "-l", other, "--taxonomy", tiny.taxonomy)
    result = run("labels", "gold", *options, "-o", tmp_path / "gold.jsonl")
    assert result.code == 1
    assert "left out: s1: its text is not the one that was read" in result.stderr
    assert "left out: s4: in no label file" in result.stderr


def test_gold_refuses_a_topic_that_the_taxonomy_does_not_have(
    run_here: Run, tiny: Tiny, tmp_path: Path, folder: Path, labels: Path
) -> None:
    AnnotationStore(folder).append([Annotation("s4", ("bakin",), "kim")])
    options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy)
    result = run_here("labels", "gold", *options, "-o", tmp_path / "gold.jsonl")
    assert_clean_failure(result, "unknown topic 'bakin'", "s4", "Did you mean 'baking'?")
    assert not (tmp_path / "gold.jsonl").exists()


def test_agreement_without_files_is_of_the_annotators_of_the_folder(
    run: Run, tiny: Tiny, folder: Path
) -> None:
    some = [Annotation("s1", ("baking",), "sam"), Annotation("s5", ("sailing",), "sam")]
    AnnotationStore(folder).append(some)
    result = run("labels", "agreement", "--annotations", folder, "--taxonomy", tiny.taxonomy)
    assert result.code == 0
    for pair, said in [
        ("kim and lee", "1 of 4 sentences have the same topics in both"),
        ("kim and sam", "1 of 2 sentences have the same topics in both"),
        ("lee and sam", "2 of 2 sentences have the same topics in both"),
    ]:
        assert said in result.stdout.partition(pair)[2]
    assert "s3: gardening | –" in result.stdout
    assert "4 sentences read by two or more annotators" in result.stdout


def test_agreement_wants_two_passes_or_more(run_here: Run, tiny: Tiny, folder: Path) -> None:
    path = folder / FILE
    result = run_here("labels", "agreement", path, path, "--taxonomy", tiny.taxonomy)
    assert_clean_failure(result, "give two files or more", code=2)
    other = write_jsonl(folder / "other.jsonl", [{"id": "s1", "topics": []}])
    result = run_here("labels", "agreement", path, other, "--taxonomy", tiny.taxonomy)
    assert_clean_failure(result, str(path), "annotated by 2 annotators", "--annotations")


def adjudications(folder: Path) -> list[tuple[object, ...]]:
    return [
        (one.id, one.topics, one.reason, one.skipped)
        for one in AnnotationStore(folder).read()
        if one.adjudicated
    ]


def test_disagreements_are_settled_line_by_line_and_taken_up_again(
    run: Run, tiny: Tiny, folder: Path, labels: Path
) -> None:
    before = (folder / FILE).read_bytes()
    options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy)
    command = ("labels", "adjudicate", "--annotator", "sam", *options)
    first = run(*command, stdin="u\nc\n9\n3, 2\nRule 3\nu\n3 2\nRule 4 ü\ns\n")  # then it ends
    assert first.code == 0, first.stderr
    for said in (
        *(
            "  a kim: gardening\n",
            "nothing to undo",
            "'9' is not understood",
            "'c' is not understood",
            "[1 of 3] s2",
            "[3 of 3] s5",
        ),
        *("  b lee: – (is that one?)\n", "Roses\ufffd[31m and wind.", "2 gardening\n"),
        "topics, or Enter for gardening:",
    ):
        assert said in first.stdout
    assert first.stdout.endswith("1 settled, 2 sentences left\n")
    both = ("gardening", "sailing")
    settled = [("s2", both, "Rule 3", False), ("s2", (), "", True), ("s2", both, "Rule 4 ü", False)]
    assert adjudications(folder) == settled
    second = run(*command, stdin="b\n\n\n\n")
    assert "[1 of 2] s3" in second.stdout
    assert second.stdout.endswith("2 settled, 0 sentences left\n")
    settled += [("s3", (), "", False), ("s5", ("baking",), "", False)]
    assert adjudications(folder) == settled
    assert run(*command).stdout == "0 settled, 0 sentences left\n"
    assert (folder / FILE).read_bytes().startswith(before)
    one = AnnotationStore(folder).read()[-1]
    assert (one.annotator, one.scheme, one.origin) == ("sam", "1.3", "labels adjudicate")
    assert (one.sha1, one.time is not None) == (sha1_of(TEXTS["s5"]), True)


def test_an_answer_without_its_reason_is_none(
    run: Run, tiny: Tiny, folder: Path, labels: Path
) -> None:
    options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy)
    result = run("labels", "adjudicate", "--annotator", "sam", *options, stdin="0\n")
    assert result.code == 0
    assert result.stdout.endswith("0 settled, 3 sentences left\n")
    assert adjudications(folder) == []


def test_a_sentence_that_is_not_here_as_it_was_read_is_left_out(
    run: Run, tiny: Tiny, tmp_path: Path, folder: Path
) -> None:
    rows = [
        {"id": "s2", "text": "Another.", "topics": []},
        {"id": "s3", "text": TEXTS["s3"], "topics": []},
    ]
    other = write_jsonl(tmp_path / "other.jsonl", rows)
    options = ("--annotations", folder, "-l", other, "--taxonomy", tiny.taxonomy)
    result = run("labels", "adjudicate", "--annotator", "sam", *options, stdin="q\n")
    assert "[1 of 1] s3" in result.stdout
    for identifier in ("s2", "s5"):
        assert f"left out: {identifier}: its sentence is not here" in result.stderr


def test_an_adjudicator_has_a_name(run_here: Run) -> None:
    assert_clean_failure(run_here("labels", "adjudicate"), "--annotator", code=2)
    result = run_here("labels", "adjudicate", "--annotator", " ")
    assert_clean_failure(result, "--annotator needs a name", code=2)


def test_disagreements_are_settled_in_a_terminal_and_a_kill_loses_no_answer(
    tiny: Tiny, folder: Path, labels: Path
) -> None:
    ours, theirs = pty.openpty()
    options = ("--annotations", folder, "-l", labels, "--taxonomy", tiny.taxonomy)
    command = [sys.executable, "-m", "topicml", "labels", "adjudicate", "--annotator", "sam"]
    with subprocess.Popen(
        [*command, *map(str, options)], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        for awaited, answer in [
            (b"gardening: ", b"3\n"),
            (b"(Enter for no reason): ", b"Wind.\n"),
            (b"[2 of 3]", b"1\n"),
            (b"(Enter for no reason): ", b""),
        ]:
            while awaited not in said:
                said += os.read(ours, 4096)
            said = b""
            os.write(ours, answer)
        process.kill()
    os.close(ours)
    assert process.returncode == -signal.SIGKILL
    assert adjudications(folder) == [("s2", ("sailing",), "Wind.", False)]
