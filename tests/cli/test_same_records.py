"""`classify` and `batch` read, tag and write by the same code: the same file, the same records."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import Run, Tiny, assert_clean_failure
from reading import zstd

TEXT = "The bread rises in the oven. Nobody answered.\n\n“Señor Núñez” left the harbour – by boat."
PAGE = """<!-- saved --><?xml version="1.0"?>
<!doctype html><html><head><title>Weekend</title><meta charset="utf-8"></head><body><nav>Home</nav>
<article><h1>Bread and boats</h1>
<p>The bread rises in the oven, and the cake wants butter and sugar.</p>
<p>They hoisted the sails at noon, and wind and tide took the yacht home again.</p>
</article></body></html>"""
ARCHIVE = """From: <Saved by Blink>
Snapshot-Content-Location: https://example.org/a
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="b"

--b
Content-Type: text/html; charset=utf-8

"""
MAIL = f"""From: Desk <a@example.org>
Subject: Bread and boats
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{TEXT}
"""
FEED = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>Weekend</title>
<item><title>Bread</title><guid>g1</guid><description>{TEXT}</description></item>
<item><title>Boats</title><description>They hoisted the sails.</description></item>
</channel></rss>"""
RECORDS = [
    {"id": "a", "title": "Fair wind", "text": TEXT},
    {"id": 7, "text": "The soil is warm."},
    {"text": "Nobody answered."},
]
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def table(separator: str) -> str:
    rows = [
        ["id", "title", "text"],
        ["c1", "Bread", "The dough is in the oven."],
        ["c2", "", "Wind."],
    ]
    return "".join(separator.join(row) + "\n" for row in rows)


def warc(kind: str, content_type: str, body: bytes) -> bytes:
    lines = [
        *("WARC/1.0", f"WARC-Type: {kind}", "WARC-Record-ID: <urn:uuid:1>"),
        *("WARC-Date: 2026-01-01T00:00:00Z", "WARC-Target-URI: https://example.org/a"),
        *(f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "", ""),
    ]
    return "\r\n".join(lines).encode() + body + b"\r\n\r\n"


def contents() -> dict[str, bytes]:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + PAGE.encode()
    return {
        "plain.txt": TEXT.encode(),
        "notes.md": TEXT.encode(),
        "latin.txt": TEXT.replace("“", '"').replace("”", '"').replace("–", "-").encode("cp1252"),
        "wide.txt": TEXT.encode("utf-16"),
        "page.html": PAGE.encode(),
        "page.txt": PAGE.encode(),
        "lines.jsonl": lines,
        "broken.jsonl": lines + b'{"id": \n' + lines.replace(b'"a"', b'"b"'),
        "array.json": json.dumps(RECORDS, indent=1).encode(),
        "one.json": json.dumps(RECORDS[0], indent=1).encode(),
        "table.csv": table(",").encode(),
        "semicolons.csv": table(";").encode(),
        "table.tsv": table("\t").encode(),
        "pages.warc": warc("response", "application/http; msgtype=response", answer),
        "page.mhtml": ARCHIVE.encode() + PAGE.encode() + b"\n--b--\n",
        "letter.eml": MAIL.encode(),
        "letters.mbox": f"From a\n{MAIL}\nFrom b\n{MAIL}\n".encode(),
        "feed.xml": FEED.encode(),
        "texts.wet": warc("conversion", "text/plain", TEXT.encode()),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every format, plain and compressed, and some that are none."""
    root = tmp_path_factory.mktemp("formats")
    for suffix, pack in PACKED.items():
        for name, data in contents().items():
            (root / (name + suffix)).write_bytes(pack(data))
    rows = pyarrow.Table.from_pylist([{"id": "p", "text": TEXT, "title": None}])
    pyarrow.parquet.write_table(rows, root / "rows.parquet")
    (root / "README.md").write_text(TEXT)
    (root / ".hidden.txt").write_text(TEXT)
    (root / "report.txt").write_bytes(b"%PDF-1.7\n" + bytes(200))
    (root / "empty.txt").write_bytes(b"")
    (root / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (root / "more").mkdir()
    (root / "more" / "deep.txt").write_text(TEXT)
    return root


@pytest.mark.parametrize("unit", ["article", "sentence"])
def test_a_folder_of_every_format(run: Run, tiny: Tiny, folder: Path, unit: str) -> None:
    common = ["--models-dir", tiny.store.root, "--unit", unit]
    classify = run("classify", folder, "--format", "jsonl", *common)
    batch = run("batch", folder, "-o", "-", "--detail", "probabilities", *common)
    assert classify.records() == batch.records()
    assert (classify.code, batch.code) == (3, 3)
    assert len(classify.records()) > 5 * len(contents())
    for result in (classify, batch):
        said = " ".join(result.stderr.split())
        assert "report.txt" in said
        assert "PDF" in said
        assert ".png" in said
        assert said.count("broken.jsonl") >= len(PACKED)
        assert "hidden 1" in said
        assert ".hidden.txt" not in said


@pytest.mark.parametrize("name", sorted(contents()))
def test_one_file_alone(run: Run, tiny: Tiny, folder: Path, name: str) -> None:
    common = ["--models-dir", tiny.store.root]
    classify = run("classify", folder / name, "--format", "jsonl", *common)
    batch = run("batch", folder / name, "-o", "-", "--detail", "probabilities", *common)
    assert classify.records() == batch.records() != []


@pytest.mark.parametrize("name", ["plain.txt", "page.html", "lines.jsonl", "array.json"])
def test_standard_input_is_told_by_its_content(
    run: Run, tiny: Tiny, folder: Path, name: str
) -> None:
    common = ["--models-dir", tiny.store.root]
    data = (folder / name).read_bytes()
    named = run("classify", folder / name, "--format", "jsonl", *common).records()
    for command in (
        ["classify", "-", "--format", "jsonl"],
        ["batch", "-", "-o", "-", "--detail", "probabilities"],
    ):
        found = run(*command, *common, stdin=data).records()
        assert [record["sentences"] for record in found] == [r["sentences"] for r in named]


def test_output_formats_of_both_are_the_same(
    run: Run, tiny: Tiny, folder: Path, tmp_path: Path
) -> None:
    common = ["--models-dir", tiny.store.root]
    for suffix in ("jsonl", "json", "csv", "csv.gz", "parquet"):
        ours, theirs = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        run("classify", folder / "lines.jsonl", "-o", ours, *common)
        run(*("batch", folder / "lines.jsonl", "-o", theirs, "--detail", "probabilities"), *common)
        if suffix == "parquet":
            tables = [pyarrow.parquet.read_table(path) for path in (ours, theirs)]
            assert tables[0].equals(tables[1])
        elif suffix == "csv.gz":
            assert gzip.decompress(ours.read_bytes()) == gzip.decompress(theirs.read_bytes())
        else:
            assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("command", [["classify", "-f", "jsonl"], ["batch", "-o", "-"]])
def test_a_missing_package_costs_only_the_files_that_need_it(
    run: Run, tiny: Tiny, tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trafilatura.py").write_text("raise ImportError('not here')")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "page.html").write_text(PAGE)
    (tmp_path / "in" / "plain.txt").write_text(TEXT)
    path = os.pathsep.join([str(tmp_path / "broken"), *sys.path])
    name, *options = command
    result = run(
        *(name, tmp_path / "in", *options, "--models-dir", tiny.store.root),
        env={"PYTHONPATH": path},
    )
    assert result.code == 3
    assert [Path(record["id"]).name for record in result.records()] == ["plain.txt"]
    said = " ".join(result.stderr.split())
    assert "page.html" in said
    assert "pip install 'topicml[articles]'" in said


HOSTILE = "=1+1\x1b[31m\x9b31m\nB"


def test_fields_are_read_alike(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "year=2024"
    folder.mkdir()
    rows: list[dict[str, object]] = [
        {"_id": {"$oid": "65a1"}, "a": {"head": "Bread", "body": TEXT}, "n": -5},
        {"_id": 7.0, "a": {"head": None, "body": "The soil is warm."}, "n": None},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "in.jsonl").write_text(lines + '{"_id": NaN, "a": {"body": "Wind."}, "x": 1e999}\n')
    common = ["--text-field", "a.head", "--text-field", "a.body", "--id-field", "_id"]
    common += ["--keep", "year", "--keep", "n", "--models-dir", str(tiny.store.root)]
    classify = run("classify", tmp_path, "--format", "jsonl", *common)
    batch = run("batch", tmp_path, "-o", "-", "--detail", "probabilities", *common)
    assert classify.records() == batch.records()
    assert (classify.code, batch.code) == (0, 0)
    first, second, third = batch.records()
    assert [r["id"] for r in (first, second)] == ["65a1", "7"]
    assert third["id"].endswith("in.jsonl:3")
    assert [(r["year"], r["n"]) for r in (first, second)] == [("2024", -5), ("2024", None)]
    assert first["sentences"][0]["text"] == "Bread"


@pytest.mark.parametrize(
    "command", ["classify {} -f jsonl", "batch {} -o -", "batch {} -o - --limit 1 --shard 1/2"]
)
def test_a_named_field_that_is_nowhere_is_one_error(
    run: Run, tiny: Tiny, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "Bread.", "outlet": "Times"}\n')
    common = ["--keep", "outlett", "--models-dir", str(tiny.store.root)]
    for given, data in ((str(path), b""), ("-", path.read_bytes())):
        result = run(*command.format(given).split(), *common, stdin=data)
        assert_clean_failure(result, "no field 'outlett'. Did you mean 'outlet'? Found: id")


def test_all_fields_are_kept_alike(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "Bread.", "n": 1, "model": "own"}\n{"text": "x"}\n')
    common = ["--keep", "*", "--models-dir", str(tiny.store.root)]
    classify = run("classify", path, "-f", "jsonl", *common)
    batch = run("batch", path, "-o", "-", "--detail", "probabilities", *common)
    first, second = classify.records()
    assert batch.records() == [first, second]
    assert (first["n"], first["input.model"], first["model"]) == (1, "own", "weekend@1.0.0")
    assert "n" not in second
    for keep, others in (("*", {"n": 1, "input.model": "own"}), ("n, *", {"input.model": "own"})):
        result = run("classify", path, "-f", "csv", *common[2:], "--keep", keep)
        (row, _) = csv.DictReader(io.StringIO(result.stdout))
        assert json.loads(row["fields"]) == others
        assert row.get("n") == ("1" if "n" in keep else None)


def test_cells_that_a_spreadsheet_would_run_are_defused(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    record = {"id": "=A1", "text": "@SUM(1) of bread.", "=x": "-1+1", "n": -5}
    path.write_text(json.dumps(record) + "\n")
    common = ["--keep", "=x", "--keep", "n", "--models-dir", str(tiny.store.root)]
    for raw, mark in (([], "'"), (["--raw-cells"], "")):
        ours, theirs = tmp_path / f"a{mark}.csv", tmp_path / f"b{mark}.csv"
        run("classify", path, "-o", ours, *raw, *common)
        run("batch", path, "-o", theirs, "--detail", "probabilities", *raw, *common)
        assert ours.read_bytes() == theirs.read_bytes()
        (row,) = csv.DictReader(ours.open(newline=""))
        assert (row["id"], row["text"]) == (f"{mark}=A1", f"{mark}@SUM(1) of bread.")
        assert (row[f"{mark}=x"], row["n"]) == (f"{mark}-1+1", "-5")


@pytest.mark.parametrize(
    "command", ["classify IN", "batch IN -o -", "batch IN -o - --log-format json"]
)
def test_no_name_reaches_the_terminal_as_it_is(
    run: Run, tiny: Tiny, tmp_path: Path, command: str
) -> None:
    path = tmp_path / HOSTILE / "in.csv"
    path.parent.mkdir()
    path.write_text(f'"{HOSTILE}",text\n"{HOSTILE}",Bread.\nx,y,z\n', encoding="utf-8")
    given = [path if part == "IN" else part for part in command.split()]
    common = ["--models-dir", tiny.store.root]
    result = run(*given, "--id-field", HOSTILE, *common)
    failed = run(*given, "--text-field", "body", *common)
    assert (result.code, failed.code) == (3, 1)
    assert "in.csv" in result.stderr
    shown = result.stderr + failed.stderr + (result.stdout if "-" not in command else "")
    assert not {c for c in shown if not c.isprintable()} - {"\n"}
    assert failed.stderr.splitlines()[-1].startswith("error: ")
