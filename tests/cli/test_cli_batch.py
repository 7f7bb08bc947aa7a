import gzip
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run, Tiny, assert_clean_failure
from dumps import warc_record, write_dump

COMMAND = [sys.executable, "-m", "topicml", "batch"]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.jsonl", 50)


@pytest.fixture
def options(tiny: Tiny) -> list[str]:
    return ["--models-dir", str(tiny.store.root)]


def test_file_to_file(run: Run, dump: Path, options: list[str], tmp_path: Path) -> None:
    result = run("batch", dump, "-o", tmp_path / "out.jsonl", *options)
    assert (result.code, result.stdout) == (0, "")
    assert "50 of 50 records tagged with weekend@1.0.0" in " ".join(result.stderr.split())
    assert "sailing" in result.stderr
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"r{n}" for n in range(50)]


def test_rejects_end_in_exit_code_3(
    run: Run, dump: Path, options: list[str], tmp_path: Path
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    out = tmp_path / "out.jsonl.gz"
    result = run("batch", dump, "-o", out, "--log-format", "json", *options)
    assert result.code == 3
    summary = json.loads(result.stderr.splitlines()[-1])
    assert summary["event"] == "summary"
    assert (summary["tagged"], summary["rejects"]) == (50, {"broken_json": 1})
    assert len(gzip.decompress(out.read_bytes()).splitlines()) == 50
    rejects = (tmp_path / "out.jsonl.gz.rejects.jsonl").read_text(encoding="utf-8")
    assert json.loads(rejects)["line"] == 51


def test_skipped_records_are_told_and_several_fields_are_kept(
    run: Run, options: list[str], tmp_path: Path
) -> None:
    dump = tmp_path / "a.wet.gz"
    parts = (warc_record(1), warc_record(2, "request"), warc_record(3))
    dump.write_bytes(b"".join(map(gzip.compress, parts)))
    keep = ("--keep", "url, status", "--keep", "warc_record_id")
    result = run("batch", dump, "-o", "-", *keep, *options)
    assert result.code == 0
    assert [(r["url"], r["status"], r["warc_record_id"]) for r in result.records()] == [
        (f"https://example.org/{n}", None, f"urn:uuid:{n}") for n in (1, 3)
    ]
    assert "2 of 3 records tagged" in " ".join(result.stderr.split())
    assert "1 skipped, no texts: request 1" in result.stderr


def test_standard_streams(run: Run, dump: Path, options: list[str]) -> None:
    result = run("batch", "-", "-o", "-", "--quiet", *options, stdin=dump.read_bytes())
    assert (result.code, result.stderr) == (0, "")
    assert len(result.records()) == 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl", "-o", "out.jsonl"], "nowhere.jsonl: no such file"),
        (["{dump}", "-o", "out.xlsx"], "out.xlsx: unknown kind of output"),
        (["{dump}", "-o", "tags"], "tags: unknown kind of output. Names end in .jsonl"),
        (["{dump}", "-o", "out.jsonl", "--text-field", "body"], "no field 'body'"),
        (["{dump}", "-o", "out.jsonl", "--model", "strangers"], "no model 'strangers'"),
        (["{dump}", "-o", "nowhere/out.jsonl"], "cannot be written"),
        (["{dump}", "-o", "out.jsonl", "--min-precision", "0.99"], "no thresholds"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(
    run: Run, dump: Path, options: list[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    given = [argument.format(dump=dump) for argument in arguments]
    result = run("batch", *given, *options, cwd=tmp_path)
    assert_clean_failure(result, said)
    assert {path.name for path in tmp_path.iterdir()} == {"dump.jsonl"}


@pytest.mark.parametrize("given", ["--max-rejects=1.5", "--shard=0/2", "--shard=3/2"])
def test_what_makes_no_sense_is_a_usage_error(
    run_here: Run, dump: Path, options: list[str], given: str
) -> None:
    name, _, value = given.partition("=")
    assert_clean_failure(run_here("batch", dump, "-o", "-", given, *options), name, value, code=2)


def test_too_many_rejects_are_one_line(run_here: Run, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_text('{"text": "bread"}\n{\n{\n')
    out = tmp_path / "out.jsonl"
    result = run_here("batch", tmp_path / "dump.jsonl", "-o", out, "--max-rejects", "50%", *options)
    assert_clean_failure(result, "2 of 3 records were rejected, more than 50%", str(out))
    assert result.stderr.count("\n") == 1


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    run: Run, dump: Path, options: list[str], tmp_path: Path
) -> None:
    arguments = ("batch", dump, "-o", "out.parquet", "--shard", "1/2", "--dry-run", *options)
    result = run(*arguments, cwd=tmp_path)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"1 file, {dump.stat().st_size:,} bytes (jsonl 1)",
        f"- {dump}: jsonl, {dump.stat().st_size:,} bytes",
        "fields of the first record: id, text, n",
        "model: weekend@1.0.0",
        "writes: out.parquet: parquet",
        "rejects: out.parquet.rejects.jsonl",
        "summary: out.parquet.summary.json",
        "starts at the beginning",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["dump.jsonl"]


def test_rejects_that_no_file_takes_are_named_with_their_place(
    run: Run, dump: Path, options: list[str]
) -> None:
    place = dump.stat().st_size
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    result = run("batch", dump, "-o", "-", "--quiet", *options)
    assert (result.code, len(result.records())) == (3, 50)
    assert result.stderr.startswith(f"rejected: {dump}:51 (byte {place}): broken_json: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("output", ["-", "{folder}/out.jsonl"])
def test_rejects_that_cannot_be_written_are_an_error_before_the_start(
    run_here: Run, dump: Path, options: list[str], tmp_path: Path, output: str
) -> None:
    rejects = tmp_path / "nowhere" / "rejects.jsonl"
    result = run_here(
        *("batch", dump, "-o", output.format(folder=tmp_path), "--rejects", rejects), *options
    )
    assert_clean_failure(result, "cannot be written", "nowhere" if output == "-" else "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_output_is_never_an_input(
    run_here: Run, dump: Path, options: list[str], tmp_path: Path, force: tuple[str, ...]
) -> None:
    before = dump.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(dump)
    for output in (dump, tmp_path / "link.jsonl"):
        result = run_here("batch", dump, "-o", output, *force, *options)
        assert_clean_failure(result, "is one of the inputs")
    assert dump.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rejects", "{dump}"], "is one of the inputs. Give --rejects another file"),
        (["--rejects", "out.jsonl"], "is written twice. Give --rejects another file"),
        (["--rejects", "given.txt"], "exists already"),
        (["--rejects", "folder"], "is a folder"),
        (["--output", "folder"], "is a folder"),
    ],
)
def test_nothing_that_was_given_is_written_over(
    run: Run, dump: Path, options: list[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "given.txt").write_text("precious")
    (tmp_path / "folder").mkdir()
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    before = dump.read_bytes()
    given = [argument.format(dump=dump) for argument in arguments]
    for output in ("out.jsonl", "-")[: 2 if "{dump}" in arguments else 1]:
        result = run("batch", dump, "-o", output, *given, *options, cwd=tmp_path)
        assert_clean_failure(result, said)
    assert dump.read_bytes() == before
    assert (tmp_path / "given.txt").read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"dump.jsonl", "given.txt", "folder"}


@pytest.mark.parametrize("suffix", [".rejects.jsonl", ".summary.json"])
def test_a_companion_of_the_output_is_never_an_input(
    run_here: Run, dump: Path, options: list[str], tmp_path: Path, suffix: str
) -> None:
    named = dump.rename(tmp_path / f"out.jsonl{suffix}")
    before = named.read_bytes()
    result = run_here(
        "batch", named, "--input-format", "jsonl", "-o", tmp_path / "out.jsonl", *options
    )
    assert_clean_failure(result, f"out.jsonl{suffix}: is one of the inputs")
    assert named.read_bytes() == before


def test_devices_are_written_to_and_stay(run: Run, dump: Path, options: list[str]) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    result = run("batch", dump, "-o", "/dev/null", "--rejects", "/dev/null", "-q", *options)
    assert (result.code, result.stdout) == (3, "")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("suffix", [".rejects.jsonl", ".summary.json", ".part", ".checkpoint"])
def test_a_companion_that_is_there_is_replaced_only_by_force(
    run_here: Run, dump: Path, options: list[str], tmp_path: Path, suffix: str
) -> None:
    companion = tmp_path / f"out.jsonl{suffix}"
    companion.write_text("precious")
    result = run_here("batch", dump, "-o", tmp_path / "out.jsonl", *options)
    assert_clean_failure(result, f"{companion}: exists already")
    assert companion.read_text() == "precious"
    assert {*tmp_path.iterdir()} == {dump, companion}


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.part", "out.jsonl.checkpoint"])
def test_no_file_of_a_run_is_another_through_a_link(
    run: Run, dump: Path, options: list[str], tmp_path: Path, name: str
) -> None:
    before = dump.read_bytes()
    linked, rejects = tmp_path / name, tmp_path / "rejects"
    linked.hardlink_to(dump)
    result = run("batch", dump, "-o", tmp_path / "out.jsonl", "--force", *options)
    assert_clean_failure(result, f"{linked}: is one of the inputs")
    rejects.symlink_to(linked)
    (tmp_path / "dump.jsonl").unlink()
    command = ("batch", "-", "-o", tmp_path / "out.jsonl", "--rejects", rejects, "--force")
    result = run(*command, *options, stdin=before)
    assert_clean_failure(result, ": is written twice")
    assert linked.read_bytes() == before


@pytest.mark.parametrize(
    "command",
    ["batch - -o {} --force", "classify - -o {} --force", "batch {} -o -", "classify {} -f jsonl"],
)
def test_standard_streams_are_inputs_and_outputs_too(
    dump: Path, options: list[str], command: str
) -> None:
    before = dump.read_bytes()
    with dump.open("rb") as stdin, dump.open("ab") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "topicml", *command.format(dump).split(), *options],
            stdin=stdin,
            stdout=subprocess.PIPE if "--force" in command else stdout,
            stderr=subprocess.PIPE,
            check=False,
            cwd=ROOT,
        )
    assert done.returncode == 1
    assert b": is one of the inputs. Give the output a name" in done.stderr
    assert dump.read_bytes() == before


def test_pipes_are_written_to_and_stay_even_by_force(
    run: Run, dump: Path, options: list[str], tmp_path: Path
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    pipes, got = [tmp_path / "out.jsonl", tmp_path / "rejects"], [tmp_path / "a", tmp_path / "b"]
    for pipe in pipes:
        os.mkfifo(pipe)
    for command in (
        ("batch", dump, "-o", pipes[0], "--rejects", pipes[1]),
        ("batch", dump, "-o", tmp_path / "file.jsonl", "--rejects", pipes[1]),
        ("classify", dump, "-o", pipes[0]),
    ):
        readers = [
            subprocess.Popen(["timeout", "60", "cp", pipe, file])
            for pipe, file in zip(pipes, got, strict=True)
            if pipe in command
        ]
        code = run(*command, "--force", *options).code
        assert (code, [reader.wait() for reader in readers]) == (3, [0] * len(readers))
        assert all(pipe.is_fifo() for pipe in pipes)
    assert got[0].read_bytes().count(b"\n") == 50
    assert json.loads(got[1].read_text())["reason"] == "broken_json"


@pytest.mark.parametrize("command", ["batch", "classify"])
def test_a_link_as_output_stays_and_what_it_leads_to_is_made(
    run: Run, dump: Path, options: list[str], tmp_path: Path, command: str
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    (tmp_path / "elsewhere").mkdir()
    links = [tmp_path / "out.jsonl", tmp_path / "rejects"]
    for link in links:
        link.symlink_to(Path("elsewhere") / link.name)
    rejects = ["--rejects", links[1]] if command == "batch" else []
    for force in ([], ["--force"]):
        assert run(command, dump, "-o", links[0], *rejects, *force, *options).code == 3
        assert all(link.is_symlink() for link in links)
    made = {path.name: path for path in (tmp_path / "elsewhere").iterdir()}
    assert made.keys() == {link.name for link in links[: 1 + bool(rejects)]}
    assert made["out.jsonl"].read_bytes().count(b"\n") == 50
    assert_clean_failure(run(command, dump, "-o", links[0], *options), "exists already")


@pytest.mark.parametrize("command", ["batch {} -o -", "classify {} -f jsonl"])
def test_what_is_no_article_in_a_folder_costs_no_other(
    run: Run, options: list[str], tmp_path: Path, command: str
) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "a.txt").write_text("The dough is in the oven.")
    (elsewhere / "b.txt").write_text("They hoisted the sails.")
    os.mkfifo(folder / "pipe.txt")
    (folder / "gone.txt").symlink_to("nowhere.txt")
    (folder / "lost").symlink_to("nowhere")
    (folder / "file.txt").symlink_to(elsewhere / "b.txt")
    (folder / "linked").symlink_to(elsewhere)
    (folder / "deep" / "up").symlink_to(folder)
    (elsewhere / "self").symlink_to(elsewhere)
    for follow in ([], ["--follow-links"]):
        result = run(*command.format(folder).split(), *follow, *options)
        assert result.code == 3
        read = {Path(record["id"]).name for record in result.records()}
        assert read == ({"a.txt", "file.txt"} if follow else {"a.txt"})
        assert "no regular file 1" in result.stderr
        assert ("links that leave the folder (see --follow-links) 2" in result.stderr) != bool(
            follow
        )
        for name in ("gone.txt", "lost"):
            assert f"{name}:1: " in result.stderr
        assert result.stderr.count("No such file or directory") == 2


def test_a_pipe_is_read_where_it_is_named_and_not_where_a_glob_finds_it(
    dump: Path, run: Run, options: list[str], tmp_path: Path
) -> None:
    pipe = tmp_path / "in.jsonl"
    os.mkfifo(pipe)
    result = run("batch", tmp_path / "*.jsonl", "-o", "-", *options)
    assert (result.code, len(result.records())) == (0, 50)
    assert "no regular file 1" in result.stderr
    with subprocess.Popen(["timeout", "60", "cp", dump, pipe]):
        assert len(run("batch", pipe, "-o", "-", *options).records()) == 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command", ["batch {} -o - -j 2", "classify {} -f parquet", "classify {} -f table"]
)
def test_a_full_disk_behind_standard_output_is_one_line(
    dump: Path, options: list[str], command: str
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "topicml", *command.format(dump).split(), *options],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=ROOT,
        )
    assert done.returncode == 1
    assert done.stderr.decode().endswith("the output cannot be written (No space left on device)\n")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("batch {} -o - -q", "batch {} -o - -q -j 2"),
        *(f"classify {{}} -f {kind}" for kind in ("table", "jsonl", "json", "csv", "parquet")),
    ],
)
def test_a_reader_that_goes_away_ends_the_command_quietly(
    dump: Path, options: list[str], command: str
) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "topicml", *command.format(dump).split(), *options],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        cwd=ROOT,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    ("options_of", "stderr"),
    [
        ("-o {out} --log-format json --log-interval 0", "2>/dev/full"),
        ("-o {out} -j 2", "2>&-"),
        ("-o - --log-format json > {out}", "2>&3"),
        ("-o - -q > {out}", "2>&3"),
    ],
)
def test_what_standard_error_does_not_take_costs_nothing(
    dump: Path, options: list[str], tmp_path: Path, options_of: str, stderr: str
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    read, write = os.pipe()
    os.close(read)
    out = tmp_path / "out.jsonl"
    asked = shlex.join([*COMMAND, str(dump), *options])
    line = f"{asked} {options_of.format(out=shlex.quote(str(out)))} {stderr}"
    closed = partial(os.dup2, write, 3)
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=ROOT, check=False, preexec_fn=closed, close_fds=False
    )
    os.close(write)
    assert done.returncode == 3
    assert len(out.read_bytes().splitlines()) == 50


def test_a_named_pipe_whose_reader_goes_away_is_no_failure_of_the_disk(
    dump: Path, options: list[str], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    command = [*COMMAND, str(dump), "-o", str(pipe), "-q", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT) as process:
        pipe.open("rb").close()  # once it is opened there
        assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_strict_is_exit_code_1(run_here: Run, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "dump.jsonl").write_text('{"text": "bread"}\n{"text": 1}\n')
    out = tmp_path / "out.jsonl"
    result = run_here("batch", tmp_path / "dump.jsonl", "-o", out, "--strict", *options)
    assert_clean_failure(result, "dump.jsonl:2 (byte 18): wrong_type")


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.soak), (signal.SIGTERM, 143)],
)
def test_signals_end_in_one_line_and_can_be_gone_on_from(
    run: Run, options: list[str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    dump, out = write_dump(tmp_path / "dump.jsonl", 60_000), tmp_path / "out.jsonl"
    arguments = [str(dump), "-o", str(out), *options]
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job behind "&" does not
    with subprocess.Popen(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=heeding
    ) as process:
        checkpoint = Path(f"{out}.checkpoint")
        deadline = time.monotonic() + 90
        while not (checkpoint.exists() and checkpoint.read_bytes().count(b"\n") > 1):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code, said
    assert said == f"error: stopped by {number.name}. Run the same command again to go on.\n"
    assert not out.exists()
    again = run("batch", *arguments, "--log-format", "json")
    assert again.code == 0
    assert "going on where an unfinished run was: " in again.stderr
    lines = out.read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"r{n}" for n in range(60_000)]


def test_terminal_shows_a_bar_and_a_table(dump: Path, options: list[str], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment: dict[str, Any] = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [*COMMAND, str(dump), "-o", str(tmp_path / "out.jsonl"), *options]
    with subprocess.Popen(command, stderr=theirs, env=environment, cwd=ROOT) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        assert process.wait() == 0
    os.close(ours)
    assert "━".encode() in shown
    assert b"50 records" in shown
    assert b"topic" in shown


def test_names_that_are_no_text_or_too_long(
    run: Run, dump: Path, options: list[str], tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"b\xff.jsonl")
    odd.write_bytes(dump.read_bytes())
    result = run("batch", odd, "-o", tmp_path / os.fsdecode(b"out\xff.jsonl"), *options)
    assert result.code == 0, result.stderr
    assert run("batch", odd, "-o", tmp_path / "out.jsonl", *options).code == 0
    assert json.loads((tmp_path / "out.jsonl.summary.json").read_text("utf-8"))["tagged"] == 50
    for command in ("batch", "classify"):
        assert_clean_failure(
            run(command, dump, "-o", tmp_path / f"{'x' * 300}.jsonl", *options), "too long"
        )


@pytest.mark.parametrize("command", ["batch", "classify"])
def test_closed_standard_streams(
    command: str, dump: Path, options: list[str], tmp_path: Path
) -> None:
    asked = [sys.executable, "-m", "topicml", command, str(dump), *options, "-o"]
    out = shlex.quote(str(tmp_path / "out.jsonl"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(asked)} {out} <&- >&-"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 50
    lost = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(asked)} - >&-"], capture_output=True, text=True, check=False
    )
    assert lost.returncode == 1
    assert "cannot be written" in lost.stderr
    assert "Traceback" not in lost.stderr


def test_a_strict_run_goes_on_without_strict(
    run: Run, dump: Path, options: list[str], tmp_path: Path
) -> None:
    lines = dump.read_text("utf-8").splitlines()
    dump.write_text("\n".join([*lines[:40], "{", *lines[40:]]) + "\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert run("batch", dump, "-o", out, "--strict", *options).code == 1
    assert run("batch", dump, "-o", out, *options).code == 3
