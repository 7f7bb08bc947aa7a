from __future__ import annotations

import json
import shutil

import pytest
from archive_samples import (
    FRY,
    MARKDOWN,
    PRUNE,
    REST,
    WATER,
    commit_files,
    git,
    make_archives,
    reference_fields,
)
from samples import write_lines

from topicml.errors import LabelError
from topicml.labels.archives import read_archives
from topicml.labels.fetch import FolderFiles, fetch_texts
from topicml.labels.references import ReferenceCount
from topicml.labels.store import read_label_file
from topicml.labels.texts import texts_path


@pytest.fixture
def labels(tmp_path):
    return make_archives(tmp_path)


def fetch(labels, *folders, **told):
    return fetch_texts(labels, read_archives(labels.parent / "archives.toml"), folders, **told)


def texts(labels):
    return [record.text for record in read_label_file(labels).records]


def reasons(fetched):
    return [(problem.reference.id, problem.reason) for problem in fetched.problems]


def test_texts_come_from_a_folder_of_clones(labels, tmp_path):
    told = []
    fetched = fetch(labels, tmp_path / "clones", on_document=lambda *n: told.append(n))
    assert fetched.count == ReferenceCount(4, 4)
    assert (fetched.added, fetched.problems) == (4, ())
    assert fetched.path == texts_path(labels)
    assert texts(labels) == [FRY, REST, WATER, PRUNE]
    assert told == [(1, 2), (2, 2)]


def test_texts_come_from_clones_one_by_one(labels, tmp_path):
    first = fetch(labels, tmp_path / "clones/papers")
    assert first.count == ReferenceCount(4, 2)
    assert reasons(first) == [("c", "no_clone"), ("d", "no_clone")]
    assert texts(labels) == [FRY, REST]
    second = fetch(labels, tmp_path / "clones/talks")
    assert (second.count, second.added) == (ReferenceCount(4, 4), 2)


def test_texts_come_from_bare_clones_of_any_name(labels, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("papers", "talks"):
        git(bare, "clone", "--quiet", "--bare", str(tmp_path / "clones" / name), f"my-{name}.git")
    assert fetch(labels, bare).count == ReferenceCount(4, 4)


def test_texts_are_cloned_where_no_folder_is_given(labels):
    told = []
    fetched = fetch(labels, on_step=told.append)
    assert fetched.count == ReferenceCount(4, 4)
    assert (labels.parent / ".text/clones/owner/papers.git/HEAD").is_file()
    assert [line.split()[:2] for line in told] == [["Fetching", "1"]] * 2


def test_archive_that_cannot_be_cloned_costs_no_other(labels, tmp_path):
    shutil.rmtree(tmp_path / "clones/papers")
    fetched = fetch(labels)
    assert fetched.problem_counts() == [("owner/papers", "no_clone", 2)]
    assert "cannot be cloned" in fetched.problems[0].detail
    assert texts(labels) == [WATER, PRUNE]


def test_texts_come_from_plain_copies(labels, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(tmp_path / "clones", plain, ignore=shutil.ignore_patterns(".git"))
    assert fetch(labels, plain).count == ReferenceCount(4, 4)


def test_changed_file_of_a_plain_copy_gives_only_what_stands_where_it_stood(labels, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(tmp_path / "clones", plain, ignore=shutil.ignore_patterns(".git"))
    (plain / "papers/notes/one.md").write_text(MARKDOWN.replace("rest", "rush"))
    (plain / "talks/one.xml").write_text("no xml")
    fetched = fetch(labels, plain)
    assert reasons(fetched) == [("b", "differs"), ("c", "unreadable"), ("d", "unreadable")]
    assert texts(labels) == [FRY]


def test_newer_commit_that_is_checked_out_makes_no_difference(labels, tmp_path):
    commit_files(tmp_path / "clones/papers", **{"notes/one.md": "Another text."})
    assert fetch(labels, tmp_path / "clones").count == ReferenceCount(4, 4)


def test_clone_without_the_pinned_commit_is_not_used(labels, tmp_path):
    other = tmp_path / "other/papers"
    commit_files(other, **{"notes/one.md": MARKDOWN, "notes/two.md": "More."})
    fetched = fetch(labels, tmp_path / "other", tmp_path / "clones/talks")
    assert fetched.problem_counts() == [("owner/papers", "no_clone", 2)]
    assert "git fetch origin" in fetched.problems[0].detail


def test_file_that_the_commit_does_not_have_is_named(labels, tmp_path):
    rows = [reference_fields("a", FRY), reference_fields("b", REST, path="notes/two.md")]
    fetched = fetch(write_lines(labels, *rows), tmp_path / "clones")
    assert reasons(fetched) == [("b", "no_file")]
    assert str(fetched.problems[0]).startswith("b: owner/papers/notes/two.md: no_file: ")


@pytest.mark.parametrize("change", [{"start": 9}, {"length": 5}, {"sha1": "0" * 40}])
def test_pointer_to_another_text_is_a_problem_and_gives_nothing(labels, tmp_path, change):
    fetched = fetch(write_lines(labels, reference_fields("a", FRY) | change), tmp_path / "clones")
    assert reasons(fetched) == [("a", "differs")]
    assert fetched.count == ReferenceCount(1, 0)
    assert not fetched.path.exists()


def test_hostile_path_is_refused_before_anything_is_read(labels, tmp_path):
    write_lines(labels, reference_fields("a", FRY, path="../../etc/passwd"))
    with pytest.raises(LabelError, match="relative path without") as caught:
        fetch(labels, tmp_path / "clones")
    assert caught.value.where == f"{labels}:1"


def test_unknown_archive_is_refused(labels, tmp_path):
    write_lines(labels, reference_fields("a", FRY, repository="owner/letters"))
    with pytest.raises(LabelError, match="unknown archive 'owner/letters'"):
        fetch(labels, tmp_path / "clones")


def test_link_that_leads_out_of_a_plain_folder_is_no_file(tmp_path):
    (tmp_path / "secret.md").write_text("secret")
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "one.md").write_text("one")
    files = FolderFiles(folder)
    assert [files.read(n) for n in ("link.md", "loop.md", "gone.md", ".", "one.md")] == [
        *(None, None, None, None),
        b"one",
    ]


def test_changed_cache_is_not_trusted_and_is_mended(labels, tmp_path):
    fetch(labels, tmp_path / "clones")
    path = texts_path(labels)
    path.write_text(path.read_text().replace("onions", "leeks"))
    assert texts(labels) == [REST, WATER, PRUNE]
    fetched = fetch(labels, tmp_path / "clones")
    assert (fetched.count, fetched.added) == (ReferenceCount(4, 4), 1)
    assert texts(labels) == [FRY, REST, WATER, PRUNE]


def test_texts_that_are_here_are_not_looked_for_again(labels, tmp_path):
    fetch(labels, tmp_path / "clones")
    shutil.rmtree(tmp_path / "clones")
    fetched = fetch(labels)
    assert (fetched.count, fetched.added, fetched.problems) == (ReferenceCount(4, 4), 0, ())


def test_cache_holds_the_texts_of_todays_labels_alone(labels, tmp_path):
    fetch(labels, tmp_path / "clones")
    fetched = fetch(write_lines(labels, reference_fields("b", REST)), tmp_path / "clones")
    assert fetched.count == ReferenceCount(1, 1)
    fetch(write_lines(labels, reference_fields("a", FRY)), tmp_path / "clones")
    kept = [json.loads(line)["text"] for line in texts_path(labels).read_text().splitlines()]
    assert FRY in kept
