from __future__ import annotations

import pytest
from archive_samples import MARKDOWN, commit_files, git

from topicml.errors import LabelError
from topicml.labels.git import CommitFiles, fetch_files, has_commit, objects_folder

NAME = "notes/one.md"


@pytest.fixture
def clone(tmp_path):
    """An ordinary clone whose pinned commit is not the newest."""
    folder = tmp_path / "clone"
    commit = commit_files(folder, **{NAME: MARKDOWN, "a b.md": "äöü\n", "empty.md": ""})
    commit_files(folder, **{NAME: "Another text.\n"})
    return folder, commit


def read(folder, commit, *paths):
    with CommitFiles(objects_folder(folder), commit) as files:
        return [files.read(path) for path in paths]


def test_files_are_those_of_the_commit_whatever_is_checked_out(clone):
    folder, commit = clone
    assert (folder / NAME).read_text() == "Another text.\n"
    assert read(folder, commit, NAME, "gone.md", "a b.md", "notes", "empty.md", NAME) == [
        MARKDOWN.encode(),
        None,
        "äöü\n".encode(),
        None,
        b"",
        MARKDOWN.encode(),
    ]


def test_bare_clone_and_linked_work_tree_do_as_well(clone, tmp_path):
    folder, commit = clone
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "bare.git")
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    for name in ("bare.git", "linked"):
        assert read(tmp_path / name, commit, NAME) == [MARKDOWN.encode()]


def test_folder_that_is_no_clone_has_no_objects(tmp_path):
    assert objects_folder(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: /nowhere")
    assert objects_folder(tmp_path) is None


def test_commit_is_there_or_not(clone):
    folder, commit = clone
    assert has_commit(objects_folder(folder), commit)
    assert not has_commit(objects_folder(folder), "0" * 40)
    assert read(folder, "0" * 40, NAME) == [None]


def test_nothing_of_a_clones_configuration_is_run(clone, tmp_path):
    folder, commit = clone
    mark = tmp_path / "mark"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "remote.origin.uploadpack"):
        git(folder, "config", key, str(hook))
    git(folder, "config", "remote.origin.url", f"ext::{hook}")
    git(folder, "config", "remote.origin.promisor", "true")
    assert read(folder, commit, NAME, "gone.md") == [MARKDOWN.encode(), None]
    blob = git(folder, "rev-parse", f"{commit}:{NAME}")
    (folder / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    assert read(folder, commit, NAME) == [None]  # and not fetched
    assert not mark.exists()


def test_environment_that_leads_git_elsewhere_is_ignored(clone, tmp_path, monkeypatch):
    folder, commit = clone
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "nowhere"))
    assert read(folder, commit, NAME) == [MARKDOWN.encode()]


def test_only_the_files_asked_for_are_fetched_where_the_server_gives_parts(clone, tmp_path):
    folder, commit = clone
    git(folder, "config", "uploadpack.allowFilter", "true")
    bare = tmp_path / "cache/papers.git"
    fetch_files(f"file://{folder}", commit, [NAME, "gone.md"], bare)
    assert read(bare, commit, NAME, "gone.md", "a b.md") == [MARKDOWN.encode(), None, None]
    fetch_files(f"file://{folder}", commit, ["a b.md"], bare)
    assert read(bare, commit, NAME, "a b.md") == [MARKDOWN.encode(), "äöü\n".encode()]


def test_whole_commit_is_fetched_where_the_server_gives_no_parts(clone, tmp_path):
    folder, commit = clone
    bare = tmp_path / "papers.git"
    fetch_files(f"file://{folder}", commit, [NAME], bare)
    assert read(bare, commit, NAME, "a b.md") == [MARKDOWN.encode(), "äöü\n".encode()]


def test_commit_or_server_that_is_not_there_is_a_clean_failure(clone, tmp_path):
    folder, commit = clone
    for url, wanted in ((f"file://{folder}", "0" * 40), (f"file://{tmp_path}/gone", commit)):
        with pytest.raises(LabelError, match="cannot be cloned") as caught:
            fetch_files(url, wanted, [NAME], tmp_path / "papers.git")
        assert caught.value.where == url
        assert "--from" in caught.value.hint


def test_git_that_is_not_installed_is_a_clean_failure(clone, monkeypatch):
    folder, commit = clone
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabelError, match="git is not installed"):
        has_commit(objects_folder(folder), commit)
