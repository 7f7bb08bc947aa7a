"""`classify` and `batch` read, tag and write by the same code: the same file, the same records."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import Run, Tiny
from reading import zstd

TEXT = "The bread rises in the oven. Nobody answered.\n\n“Señor Núñez” left the harbour – by boat."
PAGE = """<!-- saved --><?xml version="1.0"?>
<!doctype html><html><head><title>Weekend</title><meta charset="utf-8"></head><body><nav>Home</nav>
<article><h1>Bread and boats</h1>
<p>The bread rises in the oven, and the cake wants butter and sugar.</p>
<p>They hoisted the sails at noon, and wind and tide took the yacht home again.</p>
</article></body></html>"""
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
        assert "hidden" not in said


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
