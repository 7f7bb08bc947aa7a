import contextlib
import glob
import os
import socket
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import jsonl, numbered, read, rejects, texts

from topicml.batch.limits import time_limit
from topicml.errors import InputError
from topicml.io.sources import Source, _expand, list_sources


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"This is {name}.")


def names_in(folder: Path) -> list[str]:
    listing = list_sources([str(folder)])
    return [os.path.relpath(source.path or "", folder) for source in listing.sources]


def test_inputs_are_read_in_order_and_globs_by_name(tmp_path: Path) -> None:
    for name in ("part-2.jsonl", "part-1.jsonl", "other.jsonl", "deep/part-3.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jsonl({"text": name}))
    names = texts(
        read(
            tmp_path / "**/part-*.jsonl", "-", tmp_path / "other.jsonl", stdin=jsonl({"text": "in"})
        )
    )
    assert names == ["deep/part-3.jsonl", "part-1.jsonl", "part-2.jsonl", "in", "other.jsonl"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    path = tmp_path / "a[1].jsonl"
    path.write_bytes(numbered(1))
    assert texts(read(path)) == ["Text 0."]


def test_a_folder_gives_all_that_is_read_by_name(tmp_path: Path) -> None:
    make(
        tmp_path,
        *("b.txt", "a/z.md", "a-b.text", "a/y.txt.gz", "data.jsonl", "d.JSON", "e.csv.xz"),
        *("f.parquet", "g.wet.bz2", "h.htm", "i.tab", ".hidden.txt", ".git/x.txt", "x.py"),
    )
    assert names_in(tmp_path) == [
        *("a/y.txt.gz", "a/z.md", "a-b.text", "b.txt", "d.JSON", "data.jsonl", "e.csv.xz"),
        *("f.parquet", "g.wet.bz2", "h.htm", "i.tab"),
    ]


def test_what_is_skipped_is_counted_by_kind(tmp_path: Path) -> None:
    manifests = ("README.md", "readme_2.txt", "LICENSE", "LICENCE.txt", "COPYING", "CHANGELOG.md")
    manifests += ("CONTRIBUTING.md", "NOTICE.txt", "manifest.json", "a.sha256", "a.md5", "a.sig")
    manifests += ("package.json", "requirements-dev.txt", "robots.txt")
    outputs = (
        "o.jsonl.rejects.jsonl",
        "o.jsonl.summary.json",
        "o.jsonl.part",
        "o.checkpoint",
        "o.made",
        "o.jsonl",
    )
    others = ("b.epub", "c.EPUB", "d.tar.gz", "e.parquet.gz", "f.gz", "g")
    make(tmp_path, "a.txt", "noticed.txt", *others)
    make(tmp_path, *manifests, *outputs, "folder.part/part-1.jsonl", ".hidden", ".git/x.txt")
    listing = list_sources([str(tmp_path)])
    assert names_in(tmp_path) == ["a.txt", "noticed.txt"]
    assert listing.skipped == Counter({
        "README and the like": 15, "outputs of a batch run": 7, ".epub": 2, ".tar.gz": 1,
        "hidden": 2, ".parquet.gz": 1, ".gz": 1, "no suffix": 1,
    })  # fmt: skip
    assert listing.errors == []


def test_a_file_named_itself_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    make(tmp_path, "README.md", "LICENSE", "data.xyz")
    names = ["README.md", "LICENSE", "data.xyz"]
    listing = list_sources([str(tmp_path / name) for name in names])
    assert [source.format for source in listing.sources] == ["txt", None, None]
    assert listing.skipped == Counter()


def test_a_folder_inside_a_hidden_one_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".cache/articles/a.txt")
    assert names_in(tmp_path / ".cache" / "articles") == ["a.txt"]


def test_folders_that_link_to_their_parents_end(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c.txt")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "twice").symlink_to(tmp_path / "a")
    assert names_in(tmp_path) == ["a/b/c.txt"]


NAMES = st.sampled_from(["a", "b", ".h", "a.txt", "[b]"])
PARTS = st.sampled_from(["a", "*", "**", "?.txt", "*.txt", "[[]b]", "a**"])


@given(
    paths=st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=8),
    parts=st.lists(PARTS, max_size=4),
    name=PARTS.filter(lambda part: part != "**"),
    is_absolute=st.booleans(),
)
def test_a_glob_matches_what_python_says(
    paths: list[str], parts: list[str], name: str, is_absolute: bool
) -> None:
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        for path in paths:
            Path(path).mkdir(parents=True, exist_ok=True)
        pattern = "/".join([*([folder] if is_absolute else []), *parts, name])
        assert {*_expand(pattern)} == {*glob.glob(pattern, recursive=True)}  # noqa: PTH207


def test_a_glob_over_links_in_a_circle_ends(tmp_path: Path) -> None:
    make(tmp_path, "a/x.txt", "b/y.txt", "c/z.txt")
    for folder in "abc":
        for link in "def":
            (tmp_path / folder / link).symlink_to(tmp_path)
    with time_limit(60):  # it would take longer than there is
        listing = list_sources([str(tmp_path / "**" / "*.txt")])
    names = [os.path.relpath(source.path or "", tmp_path) for source in listing.sources]
    assert (names, listing.repeated) == (["a/x.txt", "b/y.txt", "c/z.txt"], [])


def test_what_is_no_regular_file_in_a_folder_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "a.txt")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("b.txt")
        listing = list_sources([str(tmp_path)])
    assert listing.skipped == Counter({"no regular file": 2})
    assert listing.errors[0].what == "nothing in this folder is read"


@pytest.mark.parametrize("given", ["{}", "{}/*"])
def test_a_link_that_leads_nowhere_is_a_reject_and_no_other_is_lost(
    tmp_path: Path, given: str
) -> None:
    make(tmp_path, "b.txt")
    for name, target in (("a.txt", "nowhere"), ("c.txt", "c.txt"), ("lost", "gone/folder")):
        (tmp_path / name).symlink_to(target)
    items = read(given.format(tmp_path))
    assert texts(items) == ["This is b.txt."]
    assert rejects(items) == [(1, "unreadable_input")] * 3


def test_links_that_leave_a_folder_are_followed_only_where_asked(tmp_path: Path) -> None:
    make(tmp_path, "in/a.txt", "in-2/b.txt", "in/deep/c.txt")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "in-2")
    (tmp_path / "in" / "file.md").symlink_to("../in-2/b.txt")
    (tmp_path / "in" / "deep" / "up.txt").symlink_to("../a.txt")
    (tmp_path / "in-2" / "back").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("in")
    for folder in ("in", "link"):
        assert names_in(tmp_path / folder) == ["a.txt", "deep/c.txt"]
    listing = list_sources([str(tmp_path / "in")])
    assert listing.skipped == Counter({"links that leave the folder (see --follow-links)": 2})
    followed = list_sources([str(tmp_path / "in")], follow_links=True)
    assert sorted(Path(s.name).name for s in followed.sources) == ["a.txt", "b.txt", "c.txt"]
    assert followed.skipped == Counter()


def test_a_file_is_read_once(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "b.txt")
    (tmp_path / "hard.txt").hardlink_to(tmp_path / "a.txt")
    (tmp_path / "soft.txt").symlink_to(tmp_path / "b.txt")
    listing = list_sources([str(tmp_path / "b.txt"), str(tmp_path), str(tmp_path / "*.txt")])
    assert [source.path for source in listing.sources] == [
        str(tmp_path / "b.txt"), str(tmp_path / "a.txt")
    ]  # fmt: skip
    again = [*("b", "hard", "soft"), *("a", "b", "hard", "soft")]
    assert listing.repeated == [str(tmp_path / f"{name}.txt") for name in again]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.jsonl", "nowhere.jsonl: no such file or folder"),
        ("*.nothing", "*.nothing: no file matches this"),
        ("x" * 5000, "no such file or folder"),
        ("A text. " * 100, "Text itself goes to standard input"),
        ("a\0b", "no such file or folder"),
        ("folder", "folder: nothing in this folder is read. In it: 2 .epub, 1 no suffix. Read are"),
        ("empty", "empty: nothing in this folder is read. In it: no files. Read are .jsonl"),
    ],
)
def test_an_input_that_is_missing_is_an_error_beside_the_good_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "good.txt", "folder/a.epub", "folder/b.epub", "folder/c")
    Path("empty").mkdir()
    listing = list_sources([name, "good.txt"])
    assert listing.sources == [Source("good.txt", "good.txt", "txt")]
    (error,) = listing.errors
    assert said in str(error)
    assert error.hint
    assert len(error.where or "") <= 201


def test_what_cannot_be_listed_is_refused() -> None:
    with pytest.raises(InputError, match=r"unknown input format 'xml'.*jsonl"):
        list_sources(["-"], "xml")
    with pytest.raises(InputError, match=r"standard input \(-\) is named twice"):
        list_sources(["-", "-"])


def test_a_format_that_is_named_holds_for_all(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "b.xyz")
    listing = list_sources([str(tmp_path / "b.xyz"), "-"], "csv")
    assert [(s.format, s.is_forced) for s in listing.sources] == [("csv", True)] * 2


def test_a_name_in_any_bytes_can_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(name).write_text("Some text.")
    (source,) = list_sources([str(tmp_path)]).sources
    assert source.name == f"{tmp_path}/caf\\xe9.txt"
    assert texts(read(tmp_path)) == ["Some text."]
