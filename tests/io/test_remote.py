import socket
import sys
from io import BytesIO
from pathlib import Path

import pytest
from objects import Storage, serving_folder

from topicml.errors import InputError, MissingExtraError, OutputError, RemoteError, TopicmlError
from topicml.io import remote
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import Fields, ReadOptions
from topicml.io.remote import (
    RemoteObject,
    check_output,
    find_objects,
    is_address,
    open_object,
    show_address,
    working_name,
)
from topicml.io.sources import find_sources, list_sources, measure, version_of
from topicml.text.document import Document

LINE = b'{"id": "a", "text": "The bread is in the oven."}\n'


@pytest.fixture(scope="module", autouse=True)
def _news(storage: Storage) -> None:
    storage.make_bucket("io-news")
    keys = ("b/2.jsonl", "b/10.jsonl", "a.jsonl", "b-c/x.jsonl", "year=2024/y.jsonl", "b/s/3.txt")
    unread = ("README.md", ".hidden.jsonl", "b/.git/x.jsonl", "b/", "x.png", "o.jsonl.checkpoint")
    for key in (*keys, *unread):
        storage.put("io-news", f"all/{key}", b"" if key.endswith("/") else LINE)


def names(*inputs: str) -> list[str]:
    listing = list_sources(inputs)
    assert not listing.errors
    return [source.name.removeprefix("s3://io-news/all/") for source in listing.sources]


def error(*inputs: str) -> TopicmlError:
    (found,) = list_sources(inputs).errors
    return found


def test_a_prefix_is_read_as_a_folder_is(tmp_path: Path) -> None:
    for key in ("b/2.jsonl", "b/10.jsonl", "a.jsonl", "b-c/x.jsonl", "year=2024/y.jsonl"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(LINE)
    (tmp_path / "b/s").mkdir()
    (tmp_path / "b/s/3.txt").write_bytes(LINE)
    here = [str(Path(s.name).relative_to(tmp_path)) for s in list_sources([str(tmp_path)]).sources]
    listing = list_sources(["s3://io-news/all"])
    assert names("s3://io-news/all") == names("s3://io-news/all/") == here
    unread = {"README and the like": 1, "outputs of a batch run": 1, ".png": 1}
    assert dict(listing.skipped) == unread
    assert all(source.is_from_folder for source in listing.sources)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("s3://io-news/all/a.jsonl", ["a.jsonl"]),
        ("s3://io-news/all/*.jsonl", ["a.jsonl"]),
        ("s3://io-news/all/b*", ["b-c/x.jsonl", "b/10.jsonl", "b/2.jsonl", "b/s/3.txt"]),
        ("s3://io-news/all/b/?.jsonl", ["b/2.jsonl"]),
    ],
)
def test_objects_and_globs(given: str, found: list[str]) -> None:
    assert sorted(names(given)) == found


def test_an_object_is_read_once_however_often_it_is_given() -> None:
    listing = list_sources(["s3://io-news/all/a.jsonl", "s3://io-news/all"])
    assert listing.repeated == ["s3://io-news/all/a.jsonl"]
    assert len(listing.sources) == 6


def test_folders_in_an_address_are_fields() -> None:
    options = ReadOptions(Fields(keep=("year",)))
    sources = find_sources(["s3://io-news/all/year=2024/"], options)
    (block,) = read_blocks(sources, options, BytesIO())
    (document,) = parse_block(block, options)
    assert isinstance(document, Document)
    assert (document.id, document.kept) == ("a", {"year": "2024"})


def test_size_and_version_are_known(storage: Storage) -> None:
    storage.put("io-news", "changing.jsonl", LINE)
    before = list_sources(["s3://io-news/changing.jsonl"]).sources
    assert measure(before, BytesIO())[1] == len(LINE)
    assert version_of(before[0]) == version_of(before[0]._replace(name="other"))
    storage.put("io-news", "changed.jsonl", LINE.replace(b"oven", b"room"))
    (after,) = list_sources(["s3://io-news/changed.jsonl"]).sources
    assert version_of(after) != version_of(before[0])


@pytest.mark.parametrize(
    "given",
    [
        *("file:///etc/passwd", "ftp://host/x", "local://x", "memory://x", "github://a:b@c/x"),
        *("zip::s3://io-news/all/a.jsonl", "simplecache::s3://io-news/all/a.jsonl"),
        *("zip://x.jsonl::s3://io-news/a.zip", "blockcache::https://host/x", "S3A://bucket/x"),
    ],
)
def test_no_other_kind_of_address_is_reached(given: str) -> None:
    assert is_address(given)
    assert "neither read nor written" in error(given).what
    with pytest.raises(OutputError, match="neither read nor written"):
        check_output(given, force=True)


@pytest.mark.parametrize("given", ["a/b", "a://", "-", "//host/x", "*.jsonl", "a b://c", "://x"])
def test_what_is_no_address(given: str) -> None:
    assert is_address(given) == (given == "a://")


def test_what_may_be_secret_is_never_shown() -> None:
    given = "https://me:secret@host/x.jsonl?X-Amz-Signature=secret"
    assert show_address(given) == "https://host/x.jsonl"
    assert show_address("s3://me:secret@bucket/x.jsonl") == "s3://bucket/x.jsonl"
    assert "secret" not in str(error("s3://me:secret@bucket/x.jsonl"))
    said = error(given)
    assert "password" in said.what
    assert "secret" not in str(said)
    assert "secret" not in str(error("http://127.0.0.1:1/x.jsonl?token=secret"))


def test_what_is_not_there_is_said() -> None:
    assert "no such object or bucket" in error("s3://io-news/nothing").what
    assert "no such object or bucket" in error("s3://io-no-bucket/x").what
    assert "no object matches" in error("s3://io-news/all/*.csv").what
    assert "names nothing" in error("s3://").what


def test_no_network_is_said() -> None:
    found = error("http://127.0.0.1:1/x.jsonl")
    assert isinstance(found, RemoteError)
    assert "cannot be reached" in found.what
    assert "network" in found.hint


def test_a_google_storage_that_does_not_answer_is_soon_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = {"endpoint_url": f"http://127.0.0.1:{silent.getsockname()[1]}", "token": "anon"}
        impatient = remote._SCHEMES["gs"]._replace(patience=0.5, options=options)
        monkeypatch.setitem(remote._SCHEMES, "gs", impatient)
        with pytest.raises(RemoteError, match="cannot be reached"):
            list(find_objects("gs://news/a.jsonl"))


@pytest.mark.parametrize(
    ("package", "given"), [("s3fs", "s3://b/x"), ("gcsfs", "gs://b/x"), ("aiohttp", "https://h/x")]
)
def test_a_missing_package_is_said_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, package: str, given: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    found = error(given)
    assert isinstance(found, MissingExtraError)
    assert "pip install 'topicml[remote]'" in found.hint


def test_an_object_that_changes_while_it_is_read_ends_reading(storage: Storage) -> None:
    storage.put("io-news", "large.bin", bytes(3_000_000))
    (found,) = find_objects("s3://io-news/large.bin")
    assert isinstance(found, RemoteObject)
    with open_object(found, 100_000) as file:
        assert len(file.read(300_000)) == 300_000
        cache = file.raw._file.cache  # type: ignore[attr-defined]
        assert cache.total_requested_bytes < 1_000_000  # and not all of it
        storage.put("io-news", "large.bin", b"1" * 3_000_000)
        with pytest.raises(RemoteError, match="changed"):
            file.read()


def test_what_is_written_must_be_an_object_of_a_bucket() -> None:
    for given in ("https://host/x", "s3://io-news"):
        with pytest.raises(OutputError, match="cannot be written to"):
            check_output(given, force=True)
    with pytest.raises(OutputError, match="no such bucket"):
        check_output("s3://io-no-bucket/x", force=True)
    with pytest.raises(OutputError, match="exists already"):
        check_output("s3://io-news/all/a.jsonl", force=False)
    check_output("s3://io-news/all/a.jsonl", force=True)
    check_output("s3://io-news/all/new.jsonl", force=False)


def test_working_names_are_one_for_each_address() -> None:
    first, second = working_name("s3://a/x.jsonl"), working_name("s3://b/x.jsonl")
    assert first != second
    assert first.endswith("-x.jsonl")
    assert len(working_name("s3://a/" + "x" * 900)) < 200


def test_of_a_server_that_gives_no_parts_no_parquet_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + bytes(3_000_000) + b"PAR1")
    (tmp_path / "x.jsonl").write_bytes(LINE)
    with serving_folder(tmp_path) as address:
        with pytest.raises(InputError, match="does not give parts"):
            find_sources([f"{address}/x.parquet"], ReadOptions())
        (source,) = find_sources([f"{address}/x.jsonl?a=1"], ReadOptions())
        assert source.name == f"{address}/x.jsonl"
        assert isinstance(version_of(source), str)
