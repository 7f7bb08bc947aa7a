import csv
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Run, Tiny, assert_clean_failure
from dumps import warc_record

TEXT = 'The dough is in the oven. They hoisted the sails.\r\n\r\nNobody answered "é🤝" today.'


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_bytes(TEXT.encode("utf-8"))
    return path


@pytest.fixture
def classify(run: Run, tiny: Tiny) -> Run:
    """``topicml classify`` with the tiny model."""

    def call(*arguments: str | Path, **options: Any) -> Result:
        store = ("--models-dir", tiny.store.root, "--model", "weekend")
        return run("classify", *arguments, *store, **options)

    return call


SENTENCE_KEYS = [
    *("index", "start", "end", "text", "topics", "reason", "relevance", "probabilities")
]


def check_record(record: dict[str, Any], text: str) -> None:
    assert list(record) == ["id", "model", "topics", "reason", "sentences"]
    assert bool(record["topics"]) is (record["reason"] is None)
    if record["reason"]:
        counts = Counter(s["reason"] for s in record["sentences"])
        assert counts[record["reason"]] == max(counts.values())
    for index, sentence in enumerate(record["sentences"]):
        assert list(sentence) == SENTENCE_KEYS
        assert bool(sentence["topics"]) is (sentence["reason"] is None)
        assert sentence["index"] == index
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
        assert all(0 <= p <= 1 for p in sentence["probabilities"].values())
        assert set(sentence["topics"]) <= sentence["probabilities"].keys()
    for topic in record["topics"]:
        carriers = [s for s in record["sentences"] if topic["topic"] in s["topics"]]
        assert topic["sentences"] == [s["index"] for s in carriers]
        assert topic["probability"] == max(s["probabilities"][topic["topic"]] for s in carriers)


def test_jsonl_is_the_record_of_the_contract(classify: Run, article: Path) -> None:
    result = classify(article, "--format", "jsonl")
    (record,) = result.records()
    assert (result.code, result.stderr) == (0, "")
    assert (record["id"], record["model"]) == (str(article), "weekend@1.0.0")
    check_record(record, TEXT)
    assert [s["topics"] for s in record["sentences"]] == [["baking"], ["sailing"], []]
    assert [s["reason"] for s in record["sentences"]] == [None, None, "below_threshold"]


def test_all_formats_tell_the_same(classify: Run, article: Path) -> None:
    (record,) = classify(article, "--format", "jsonl").records()
    assert json.loads(classify(article, "--format", "json").stdout) == [record]
    written = classify(article, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert len(rows) == len(record["sentences"]) == 3
    for row, sentence in zip(rows, record["sentences"], strict=True):
        assert (row["id"], row["model"]) == (record["id"], record["model"])
        assert [int(row[key]) for key in ("index", "start", "end")] == [
            sentence[key] for key in ("index", "start", "end")
        ]
        assert row["text"] == sentence["text"]
        assert row["topics"] == ";".join(sentence["topics"])
        assert row["reason"] == (sentence["reason"] or "")
        for topic, probability in sentence["probabilities"].items():
            assert math.isclose(float(row[topic]), probability, abs_tol=1e-6)
    table = classify(article).stdout
    assert str(article) in table
    assert "2 of 3 sentences tagged, model weekend@1.0.0" in table
    for topic in record["topics"]:
        assert f"{topic['topic']} {topic['probability']:.2f}" in table
    assert "Nobody answered" in table
    assert "no tag: below threshold" in table


def test_the_five_articles_are_tagged_by_the_default_model(run: Run, root: Path) -> None:
    result = run("classify", "--format", "jsonl", *sorted((root / "data/raw").glob("0*.txt")))
    records = result.records()
    assert result.code == 0
    assert len(records) == 5
    assert sum(len(record["sentences"]) for record in records) == 116
    for record in records:
        check_record(record, Path(record["id"]).read_bytes().decode("utf-8"))
        assert record["topics"]
        assert {len(s["probabilities"]) for s in record["sentences"]} == {9}


@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["nothing", "dash"])
def test_standard_input_is_read(classify: Run, arguments: tuple[str, ...]) -> None:
    (record,) = classify("--format", "jsonl", *arguments, stdin=TEXT).records()
    assert record["id"] == "<stdin>"
    check_record(record, TEXT)


def test_unit_sentence_gives_exactly_one_entry_a_record(classify: Run, tmp_path: Path) -> None:
    texts = ["One. Two. Three.", "", " \n ", "\x00", "a\u2028b", "No\n\nparagraphs. Here."]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in enumerate(texts)))
    result = classify(path, "--unit", "sentence", "--format", "jsonl")
    assert result.code == 0
    records = [json.loads(line) for line in result.stdout.rstrip("\n").split("\n")]
    assert [record["id"] for record in records] == [str(i) for i in range(len(texts))]
    for record, text in zip(records, texts, strict=True):
        (sentence,) = record["sentences"]
        assert (sentence["start"], sentence["end"], sentence["text"]) == (0, len(text), text)


def test_threshold_decides_what_is_given(classify: Run, article: Path) -> None:
    (low,) = classify(article, "-f", "jsonl", "--threshold", "0").records()
    (high,) = classify(article, "-f", "jsonl", "--threshold", "1").records()
    assert [len(s["topics"]) for s in low["sentences"]] == [3, 3, 3]
    assert (high["topics"], [s["topics"] for s in high["sentences"]]) == ([], [[], [], []])
    assert (low["reason"], [s["reason"] for s in low["sentences"]]) == (None, [None] * 3)
    assert high["reason"] == "below_threshold"
    assert [s["reason"] for s in high["sentences"]] == ["below_threshold"] * 3
    assert low["sentences"][0]["probabilities"] == high["sentences"][0]["probabilities"]


def given(result: Result) -> set[tuple[str, int, str]]:
    assert (result.code, result.stderr) == (0, "")
    return {
        (record["id"], sentence["index"], topic)
        for record in result.records()
        for sentence in record["sentences"]
        for topic in sentence["topics"]
    }


def test_minimal_precision_gives_fewer_tags_and_never_others(run: Run, root: Path) -> None:
    articles = sorted((root / "data/raw").glob("0*.txt"))
    tags = [given(run("classify", "-f", "jsonl", *articles))]
    for precision in ("0.6", "0.8", "0.95"):
        result = run("classify", "-f", "jsonl", "--min-precision", precision, *articles)
        tags.append(given(result))
        for record in result.records():
            check_record(record, Path(record["id"]).read_bytes().decode("utf-8"))
        assert tags[-1] <= tags[-2]
    assert tags[-1] < tags[0]


@pytest.mark.parametrize("precision", ["0.96", "1"])
def test_precision_that_the_model_has_not_is_a_clean_failure(
    classify: Run, article: Path, precision: str
) -> None:
    result = classify(article, "--min-precision", precision, "-f", "jsonl")
    known = "The highest this model has is 0.95; it has 0.6, 0.7, 0.8, 0.9, 0.95."
    assert_clean_failure(result, f"no thresholds for a precision of {precision}", known)


def test_folder_is_read_by_name(classify: Run, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "skipped.png"):
        (tmp_path / name).write_text(TEXT)
    result = classify(tmp_path, "-f", "jsonl")
    assert [Path(record["id"]).name for record in result.records()] == ["a.txt", "b.txt"]


def test_bad_line_costs_only_itself_and_ends_in_exit_code_3(classify: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "Sails."}\n{"id": "b"\n{"id": "c", "text": "Dough."}\n')
    result = classify(path, "-f", "jsonl")
    assert result.code == 3
    assert [record["id"] for record in result.records()] == ["a", "c"]
    place = len('{"id": "a", "text": "Sails."}\n')
    assert result.stderr.startswith(f"error: {path}:2 (byte {place}): this is not valid JSON")
    assert result.stderr.count("\n") == 1


def test_output_goes_to_a_file(classify: Run, article: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    result = classify(article, "-f", "jsonl", "-o", target)
    assert (result.code, result.stdout, result.stderr) == (0, "", "")
    assert target.read_text("utf-8") == classify(article, "-f", "jsonl").stdout


def test_output_that_cannot_be_written_is_a_clean_failure(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    target = tmp_path / "missing" / "out.jsonl"
    assert_clean_failure(classify(article, "-o", target), str(target), "Check the folder")


BAD_INPUT = {
    "empty": (b"", ["empty"]),
    "blank": (b"\n \n", ["empty"]),
    "binary": (bytes(range(256)) * 20, ["binary"]),
    "pdf": (b"%PDF-1.7\n" + bytes(500), ["PDF"]),
    "huge": (b"boat " * 10_000_000, ["16 MB", "split it into articles"]),
}


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_bad_file_is_a_clean_failure(classify: Run, tmp_path: Path, kind: str) -> None:
    data, parts = BAD_INPUT[kind]
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    assert_clean_failure(classify(path, "-f", "jsonl"), str(path), *parts)


def test_huge_line_of_records_is_a_clean_failure(classify: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"text": "' + b"boat " * 10_000_000 + b'"}\n')
    assert_clean_failure(classify(path, "-f", "jsonl"), f"{path}:1", "16 MB", "one record each")


def test_bad_file_beside_a_good_one_ends_in_exit_code_3(classify: Run, article: Path) -> None:
    result = classify("/nowhere/a.txt", article, "-f", "jsonl")
    assert result.code == 3
    assert [record["id"] for record in result.records()] == [str(article)]
    assert "/nowhere/a.txt: no such file or folder" in result.stderr


def test_missing_file_is_a_clean_failure(classify: Run) -> None:
    result = classify("/nowhere/a.txt", "-f", "jsonl")
    assert_clean_failure(result, "/nowhere/a.txt", "no such file", "Check the path")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_named_encoding_is_read(classify: Run, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes("The allies’ boat left the harbour.".encode(encoding))
    (record,) = classify(path, "-f", "jsonl", "--encoding", encoding).records()
    assert record["sentences"][0]["text"] == "The allies’ boat left the harbour."


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--encoding", "klingon"], ["unknown encoding 'klingon'", "cp1252"]),
        (["--encoding", "base64"], ["unknown encoding 'base64'"]),
        (["--format", "xml"], ["xml", "jsonl"]),
        (["--threshold", "1.5"], ["1.5"]),
        (["--threshold", "nan"], ["nan"]),
        (["--min-precision", "1.5"], ["1.5"]),
        (["--min-precision", "-0.1"], ["-0.1"]),
        (["--min-precision", "nan"], ["--min-precision nan"]),
        (["--min-precision", "0.8", "--threshold", "0.5"], ["not both"]),
        (["--min-precision", "0", "--threshold", "0"], ["not both"]),
        (["--unit", "word"], ["word", "sentence"]),
        (["--nonsense"], ["--nonsense"]),
    ],
    ids=lambda value: "-".join(value)[:24],
)
def test_wrong_usage_ends_in_exit_code_2(
    classify: Run, article: Path, arguments: list[str], parts: list[str]
) -> None:
    assert_clean_failure(classify(article, *arguments), *parts, code=2)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("weekends", ["no model 'weekends'", "Did you mean 'weekend'?", "--models-dir"]),
        ("weekend@7.0.0", ["no version '7.0.0'", "Versions: 1.0.0"]),
        ("./nowhere", ["nowhere", "no model here", "topicml models list"]),
    ],
)
def test_missing_model_is_a_clean_failure(
    run_here: Run, tiny: Tiny, article: Path, reference: str, parts: list[str]
) -> None:
    result = run_here("classify", article, "--models-dir", tiny.store.root, "--model", reference)
    assert_clean_failure(result, *parts)


def test_damaged_model_is_a_clean_failure(
    run_here: Run, tiny: Tiny, article: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    with (folder / "scorer.npz").open("ab") as file:
        file.write(b"x")
    result = run_here("classify", article, "--model", folder)
    assert_clean_failure(result, str(folder / "scorer.npz"), "damaged", "Restore")


BOMB = b"cbuiltins\nexec\n(S'import pathlib; pathlib.Path(%r).touch()'\ntR."


def test_nothing_is_unpickled_and_verify_names_the_file(
    run: Run, tiny: Tiny, article: Path, tmp_path: Path
) -> None:
    import pickle

    folder = shutil.copytree(tiny.folder, tmp_path / "model")
    crater = tmp_path / "crater"
    bomb = BOMB.replace(b"%r", f'"{crater}"'.encode())
    (folder / "pipeline.joblib").write_bytes(bomb)
    pickle.loads(bomb)  # noqa: S301 - the bomb is a real one
    assert crater.exists()
    crater.unlink()
    assert run("classify", article, "--model", folder, "-f", "jsonl").code == 0
    result = run("models", "verify", folder)
    assert_clean_failure(result, str(folder / "pipeline.joblib"), "damaged")
    assert not crater.exists()


def test_records_need_none_of_the_heavy_libraries(tiny: Tiny, article: Path) -> None:
    program = (
        "import sys; from topicml.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        "sys.stderr.write(' '.join({m.split('.')[0] for m in sys.modules})); sys.exit(code)"
    )
    arguments = ["classify", article, "-f", "json", "--models-dir", tiny.store.root]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments), "-m", "weekend"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)[0]["sentences"]
    loaded = set(done.stderr.split())
    assert {"topicml", "numpy", "typer"} <= loaded
    heavy = {"sklearn", "scipy", "joblib", "rich", "numba", "pyarrow", "pandas"}
    assert not loaded & heavy


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="needs pipes as Unix has them")
@pytest.mark.parametrize("output_format", ["jsonl", "csv", "table"])
def test_reader_that_goes_away_is_no_error(tiny: Tiny, tmp_path: Path, output_format: str) -> None:
    path = tmp_path / "in.jsonl"
    row = json.dumps({"text": "They hoisted the sails. " * 20})
    path.write_text(f"{row}\n" * 100)
    command = [sys.executable, "-m", "topicml", "classify", str(path), "-f", output_format]
    with subprocess.Popen(
        [*command, "--models-dir", str(tiny.store.root), "-m", "weekend"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)


@pytest.mark.parametrize(
    ("env", "coloured"), [({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1"}, False), ({}, False)]
)
def test_colours_follow_the_environment(
    classify: Run, article: Path, env: dict[str, str], coloured: bool
) -> None:
    result = classify(article, env={"TERM": "xterm-256color", **env})
    assert ("\x1b[3" in result.stdout) is coloured


def test_no_color_wins_over_force_color(classify: Run, article: Path) -> None:
    env = {"TERM": "xterm-256color", "FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert "\x1b[3" not in classify(article, env=env).stdout


@pytest.mark.parametrize("columns", ["20", "60", "200"])
def test_table_fits_any_window(classify: Run, article: Path, columns: str) -> None:
    result = classify(article, env={"COLUMNS": columns})
    assert result.code == 0
    assert "baking" in result.stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nobody answered.", "no topic is likely enough"),
        ("Leave a Reply", "it is the page around an article, not an article"),
        ("Die Segel sind nicht auf dem Boot.", "the text is not in English"),
        ("Blorp frindle gnash wibblet snork.", "the model knows too few of its words"),
    ],
)
def test_article_without_a_topic_is_said_to_have_none_and_why(
    classify: Run, text: str, reason: str
) -> None:
    result = classify("-", stdin=text)
    assert "0 of 1 sentences tagged" in result.stdout
    assert f"No topic: {reason}." in result.stdout


@pytest.mark.parametrize("output_format", ["jsonl", "json", "csv"])
def test_output_is_utf8_whatever_the_locale(
    classify: Run, article: Path, output_format: str
) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = classify(article, "-f", output_format, env=env)
    assert result.code == 0
    assert "é🤝" in result.stdout


@pytest.mark.parametrize("output_format", ["jsonl", "json", "csv", "table"])
def test_id_that_is_no_unicode_does_not_end_the_run(
    classify: Run, tmp_path: Path, output_format: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "\\ud800", "text": "Sails."}\n{"id": "good", "text": "Dough."}\n')
    result = classify(path, "-f", output_format)
    assert result.code in (0, 3)
    assert "good" in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are any bytes")
def test_file_name_that_is_no_unicode_does_not_end_the_run(classify: Run, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("Sails.")
    (tmp_path / "~good.txt").write_text("Dough.")
    result = classify(tmp_path, "-f", "jsonl")
    assert result.code in (0, 3)
    assert "good.txt" in result.stdout
    assert "Traceback" not in result.stderr


def test_byte_order_mark_does_not_cost_the_first_record(classify: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "Sails."}\n{"id": "b", "text": "Dough."}\n', "utf-8-sig")
    result = classify(path, "-f", "jsonl")
    assert [record["id"] for record in result.records()] == ["a", "b"]
    assert result.code == 0


def test_encoding_that_yields_half_characters_does_not_end_in_a_traceback(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(rb"The boat \ud800 sails.")
    result = classify(path, article, "-f", "jsonl", "--encoding", "raw_unicode_escape")
    assert "Traceback" not in result.stderr
    assert str(article) in result.stdout


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize("way", ["itself", "symbolic", "hard", "folder"])
def test_output_is_never_one_of_the_inputs(
    classify: Run, article: Path, tmp_path: Path, way: str, force: tuple[str, ...]
) -> None:
    output, given = tmp_path / "link.txt", article
    if way == "itself":
        output = article
    elif way == "symbolic":
        output.symlink_to(article)
    elif way == "hard":
        output.hardlink_to(article)
    else:
        output, given = article, tmp_path
    result = classify(given, "-f", "jsonl", "-o", output, *force)
    assert_clean_failure(result, str(output), "is one of the inputs")
    assert article.read_bytes() == TEXT.encode("utf-8")


def test_output_that_is_there_is_replaced_only_by_force(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("precious")
    assert_clean_failure(classify(article, "-o", target), str(target), "exists already", "--force")
    assert target.read_text() == "precious"
    assert classify(article, "-o", target, "--force").code == 0
    assert json.loads(target.read_text())["id"] == str(article)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("out.csv", b"id,model,index,start,end,text,topics"),
        ("out.json", b'[\n{"id":'),
        ("out.jsonl", b'{"id":'),
        ("out.jsonl.gz", b"\x1f\x8b"),
        ("out.parquet", b"PAR1"),
        ("out.txt", b"/"),
    ],
)
def test_format_follows_the_suffix_of_the_output(
    classify: Run, article: Path, tmp_path: Path, name: str, start: bytes
) -> None:
    assert classify(article, "-o", tmp_path / name).code == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_format_asked_for_wins_over_the_suffix(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    classify(article, "-o", tmp_path / "out.txt", "--format", "csv")
    assert (tmp_path / "out.txt").read_bytes().startswith(b"id,model,")


def test_suffix_that_says_of_no_format_is_refused(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    result = classify(article, "-o", tmp_path / "out.xlsx")
    assert_clean_failure(result, "out.xlsx: unknown kind of output", ".jsonl, .json, .csv")


def test_encodings_are_found_and_said(classify: Run, tmp_path: Path) -> None:
    text = "The allies’ boat left the harbour at noon."
    for encoding in ("utf-16", "utf-32", "utf-8-sig", "cp1252"):
        path = tmp_path / f"{encoding}.txt"
        path.write_bytes(text.encode(encoding))
        result = classify(path, "-f", "jsonl")
        assert result.code == 0, result.stderr
        assert result.records()[0]["sentences"][0]["text"] == text
        assert ("read as" in result.stderr) is (encoding != "utf-8-sig")


def test_relevance_is_shown_and_can_be_overridden(run: Run) -> None:
    text = "The weather was fine."
    (own,) = run("classify", "-", "-f", "jsonl", stdin=text).records()
    assert own["sentences"][0]["reason"] == "no_topic"
    options = ("--relevance", "0", "--threshold", "0")
    (free,) = run("classify", "-", "-f", "jsonl", *options, stdin=text).records()
    assert len(free["topics"]) == 9
    assert free["sentences"][0]["relevance"] == own["sentences"][0]["relevance"]
    (closed,) = run("classify", "-", "-f", "jsonl", "--relevance", "1", stdin=text).records()
    assert closed["reason"] == "no_topic"


def test_a_glob_that_no_shell_expanded_is_expanded(classify: Run, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text("Sails.")
    records = classify(str(tmp_path / "*.txt"), "-f", "jsonl").records()
    assert [Path(record["id"]).name for record in records] == ["a.txt", "b.txt"]


def test_a_title_is_read_as_the_first_paragraph(classify: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "title": "They hoisted the sails", "text": "Nobody answered."}\n')
    (record,) = classify(path, "-f", "jsonl").records()
    assert [s["text"] for s in record["sentences"]] == [
        "They hoisted the sails",
        "Nobody answered.",
    ]
    assert record["topics"][0]["topic"] == "sailing"
    (without,) = classify(path, "-f", "jsonl", "--title-field", "").records()
    assert len(without["sentences"]) == 1


def test_the_same_file_given_twice_is_read_once(
    classify: Run, article: Path, tmp_path: Path
) -> None:
    (tmp_path / "link.txt").symlink_to(article)
    result = classify(article, tmp_path / "link.txt", "-f", "jsonl")
    assert len(result.records()) == 1
    assert "given twice, read once" in result.stderr


def test_what_a_terminal_would_obey_is_not_written_to_it(classify: Run, tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.csv").write_text("te\x1b[32mxt,body\n1,2\n")
    result = classify(tmp_path, "nosuch\x1b[33m", "-f", "jsonl")
    assert result.code == 1
    assert "\x1b" not in result.stderr
    assert "nosuch" in result.stderr


@pytest.mark.parametrize(
    "name", ["notice-to-mariners.txt", "license-to-build.txt", "copying.md.txt"]
)
def test_an_article_named_nearly_like_a_readme_is_one(
    classify: Run, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("They hoisted the sails.")
    expected = 0 if name == "copying.md.txt" else 1
    assert len(classify(tmp_path, "-f", "jsonl").records()) == expected


def test_a_folders_readme_is_no_article(run: Run, root: Path) -> None:
    result = run("classify", root / "data/raw", "-f", "jsonl")
    assert len(result.records()) == 5
    assert "README and the like" in result.stderr


def test_brackets_and_colons_of_a_text_reach_the_table(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The allies [sic] signed a treaty [/b] in Manila :smile: on \x1b[31mFriday.")
    result = run("classify", path, "--threshold", "0")
    assert result.code == 0, result.stderr
    shown = " ".join(result.stdout.split())
    assert "[sic] signed a treaty [/b] in Manila :smile: on" in shown
    assert "\x1b[31m" not in result.stdout


def test_output_to_a_pipe_or_a_link_goes_through_it(run: Run, tmp_path: Path) -> None:
    source, target, link = (tmp_path / name for name in ("a.txt", "target.jsonl", "link.jsonl"))
    source.write_text("The allies signed a treaty.")
    target.write_text("old")
    link.symlink_to(target)
    assert run("classify", source, "-f", "jsonl", "-o", link, "--force").code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["id"] == str(source)
    assert run("classify", source, "-f", "jsonl", "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_records_of_an_archive_that_are_no_text_are_counted_in_one_note(
    classify: Run, tmp_path: Path
) -> None:
    for name in ("a.wet", "b.warc"):
        parts = (warc_record(1), warc_record(2, "request"), warc_record(3, content="image/png"))
        (tmp_path / name).write_bytes(b"".join(parts))
    result = classify(tmp_path, "-f", "jsonl")
    assert (result.code, len(result.records())) == (0, 2)
    assert result.stderr == "note: skipped, no texts: request 2, image 2\n"
