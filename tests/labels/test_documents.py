from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from archive_samples import MARKDOWN_FORM, TRANSCRIPT_FORM, commit_files, git, make_archives

from topicml.errors import LabelError, OutputError
from topicml.io.readers import check_sources, parse_block, read_blocks
from topicml.io.records import Fields, ReadOptions
from topicml.io.sources import list_sources
from topicml.labels.archives import Archive, read_archives
from topicml.labels.documents import read_document_list, write_documents

NOTES, RADIO = "owner/papers\tnotes/one.md", "owner/talks\tone.xml"


@pytest.fixture
def archives(tmp_path: Path) -> dict[str, Archive]:
    return read_archives(make_archives(tmp_path).parent / "archives.toml")


def listing(folder: Path, *lines: str) -> Path:
    path = folder / "pool.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write(tmp_path, archives, *lines, folders=("clones",), **told):
    output = tmp_path / "pool.jsonl"
    places = [tmp_path / name for name in folders]
    return output, *write_documents(listing(tmp_path, *lines), archives, places, output, **told)


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_documents_are_written_in_their_normal_form(tmp_path, archives):
    told = []
    output, count, missing = write(
        *(tmp_path, archives, NOTES, RADIO), on_document=lambda *n: told.append(n)
    )
    assert (count, missing, told) == (2, [], [(1, 2), (2, 2)])
    assert rows(output) == [
        {"id": "owner/papers/notes/one.md", "text": MARKDOWN_FORM},
        {"id": "owner/talks/one.xml", "text": TRANSCRIPT_FORM},
    ]


def test_what_is_written_is_read_as_records(tmp_path, archives):
    output, *_ = write(tmp_path, archives, NOTES, RADIO)
    reading = ReadOptions(Fields("text", "id", None))
    sources = check_sources(list_sources([str(output)]).sources, reading)
    blocks = read_blocks(sources, reading, io.BytesIO(), note=pytest.fail)
    records = [record for block in blocks for record in parse_block(block, reading)]
    assert [(record.id, record.text) for record in records] == [
        ("owner/papers/notes/one.md", MARKDOWN_FORM),
        ("owner/talks/one.xml", TRANSCRIPT_FORM),
    ]


def test_newer_commit_that_is_checked_out_makes_no_difference(tmp_path, archives):
    commit_files(tmp_path / "clones/papers", **{"notes/one.md": "Another text."})
    output, *_ = write(tmp_path, archives, NOTES)
    assert [row["text"] for row in rows(output)] == [MARKDOWN_FORM]


def test_archives_are_cloned_beside_the_list_where_no_folder_is_given(tmp_path, archives):
    told = []
    output, count, _ = write(tmp_path, archives, NOTES, RADIO, folders=(), on_step=told.append)
    assert count == len(rows(output)) == 2
    assert (tmp_path / ".text/clones/owner/papers.git/HEAD").is_file()
    assert [line.split()[:3] for line in told] == [["Fetching", "1", "documents"]] * 2


def test_documents_that_are_missing_or_no_text_are_named_and_cost_no_other(tmp_path, archives):
    plain = tmp_path / "plain"
    shutil.copytree(tmp_path / "clones", plain, ignore=shutil.ignore_patterns(".git"))
    (plain / "talks/one.xml").write_text("no xml")
    (plain / "papers/latin.md").write_bytes(b"\xe9t\xe9")
    gone, latin = "owner/papers\tgone.md", "owner/papers\tlatin.md"
    output, count, missing = write(
        *(tmp_path, archives, gone, latin, RADIO, NOTES), folders=("plain",)
    )
    assert count == 1
    assert [row["id"] for row in rows(output)] == ["owner/papers/notes/one.md"]
    assert [line.partition(": ")[0] for line in missing] == [
        *("owner/papers/gone.md", "owner/papers/latin.md", "owner/talks/one.xml")
    ]
    assert missing[0].endswith("no such file in the pinned commit")


@pytest.mark.parametrize("path", ["../../etc/passwd", "./notes/one.md"])
def test_path_that_leads_elsewhere_is_refused_with_its_line(tmp_path, archives, path):
    with pytest.raises(LabelError) as caught:
        write(tmp_path, archives, NOTES, f"owner/papers\t{path}")
    assert caught.value.where == f"{tmp_path / 'pool.tsv'}:2"
    assert not (tmp_path / "pool.jsonl").exists()


@pytest.mark.parametrize("path", ["etc/passwd", "notes"])
def test_path_that_is_none_of_the_archives_files_is_missing(tmp_path, archives, path):
    output, count, missing = write(tmp_path, archives, f"owner/papers\t{path}", NOTES)
    assert count == 1
    assert missing == [f"owner/papers/{path}: no such file in the pinned commit"]
    assert [row["id"] for row in rows(output)] == ["owner/papers/notes/one.md"]


def test_empty_list_makes_an_empty_dump(tmp_path, archives):
    output, count, missing = write(tmp_path, archives)
    assert (output.read_bytes(), count, missing) == (b"", 0, [])


@pytest.mark.parametrize(
    "line",
    ["", "owner/papers", "owner/papers notes/one.md", "owner/papers\t", "\tnotes/one.md"],
    ids=["blank", "no-path", "no-tab", "empty-path", "no-archive"],
)
def test_malformed_line_is_named_and_nothing_is_written(tmp_path, archives, line):
    with pytest.raises(LabelError, match="a tab and a path") as caught:
        write(tmp_path, archives, NOTES, line)
    assert caught.value.where == f"{tmp_path / 'pool.tsv'}:2"
    assert not (tmp_path / "pool.jsonl").exists()


def test_unknown_archive_is_refused_with_those_there_are(tmp_path, archives):
    path = listing(tmp_path, "owner/letters\tone.md")
    with pytest.raises(LabelError) as caught:
        read_document_list(path, archives)
    assert caught.value.where == f"{path}:1"
    assert caught.value.hint == "Known archives: owner/papers, owner/talks."


@pytest.mark.parametrize("data", [None, b"owner/papers\tcaf\xe9.md\n"], ids=["missing", "latin"])
def test_list_that_cannot_be_read_is_an_error(tmp_path, archives, data):
    path = tmp_path / "pool.tsv"
    if data:
        path.write_bytes(data)
    with pytest.raises(LabelError, match="cannot be read") as caught:
        read_document_list(path, archives)
    assert caught.value.where == str(path)


def test_archive_that_cannot_be_had_leaves_what_was_there(tmp_path, archives):
    (tmp_path / "pool.jsonl").write_text("old\n")
    git(tmp_path / "clones", "init", "--quiet", "--bare", str(tmp_path / "empty/papers.git"))
    with pytest.raises(LabelError, match="no clone has commit"):
        write(tmp_path, archives, NOTES, folders=("empty",))
    assert (tmp_path / "pool.jsonl").read_text() == "old\n"
    assert not list(tmp_path.glob(".pool.jsonl*"))


def test_folder_that_is_missing_is_an_error(tmp_path, archives):
    path = listing(tmp_path, NOTES)
    with pytest.raises(OutputError):
        write_documents(path, archives, [tmp_path / "clones"], tmp_path / "nowhere/pool.jsonl")
