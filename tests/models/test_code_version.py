from pathlib import Path

import pytest
from archive_samples import commit_files, git

from topicml.models.code_version import code_version
from topicml.version import __version__

MODULE = "src/topicml/a.py"


def test_a_checkout_names_its_commit_and_whether_the_code_was_modified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    commit = commit_files(tmp_path, **{MODULE: "a = 1\n", "README.md": "A.\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))  # as inside a hook
    assert code_version(tmp_path) == {"version": __version__, "commit": commit, "modified": False}
    (tmp_path / "README.md").write_text("B.\n")
    assert code_version(tmp_path)["modified"] is False
    (tmp_path / MODULE).write_text("a = 2\n")
    assert code_version(tmp_path)["modified"] is True


def test_where_there_is_no_checkout_or_no_git_none_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"version": __version__, "commit": None, "modified": None}
    inside = tmp_path / "site-packages"
    inside.mkdir()
    git(tmp_path, "init", "--quiet")  # a repository around it is not that of the code
    assert code_version(inside) == unknown
    monkeypatch.setenv("PATH", "")
    assert code_version(tmp_path) == unknown
