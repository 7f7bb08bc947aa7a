"""Files of a commit, out of whatever clone has it, with nothing of the clone's own run.

A clone's configuration can name programs (hooks, file monitors, transports), so it is never
read: git works in an empty repository made for the purpose, which borrows the clone's objects.
What is checked out does not matter, and a clone of another user is no special case.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from topicml.errors import LabelError

MAX_FILE_BYTES = 64_000_000
_PLACES = re.compile(r"GIT_(?!SSL_|HTTP_|CONFIG_)")
"""Variables that would lead git elsewhere; the user's own settings for the network stay."""

_CHUNK = 1 << 20


def objects_folder(folder: Path) -> Path | None:
    """Return the folder of objects of a clone: ordinary, bare, or a linked work tree."""
    git = folder / ".git"
    if git.is_file():  # a work tree or a submodule: it names the place
        git = folder / git.read_text(errors="replace").removeprefix("gitdir:").strip()
        common = git / "commondir"
        git = git / common.read_text(errors="replace").strip() if common.is_file() else git
    elif not git.is_dir():
        git = folder
    is_clone = (git / "HEAD").is_file() and (git / "objects").is_dir()
    return (git / "objects").resolve() if is_clone else None


class CommitFiles:
    """The files of one commit of a clone; a context manager.

    Args:
        objects: From ``objects_folder``.
        commit: Full hash.
    """

    def __init__(self, objects: Path, commit: str) -> None:
        self._objects, self._commit = objects, commit
        self._open = ExitStack()
        self._in: IO[bytes]
        self._out: IO[bytes]

    def __enter__(self) -> CommitFiles:
        repository = self._open.enter_context(borrowing(self._objects))
        process = subprocess.Popen(  # noqa: S603 - no shell, and no argument of others
            [*git_command(), "cat-file", "--batch"],
            env=repository,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._open.enter_context(process)
        self._in = cast("IO[bytes]", process.stdin)
        self._out = cast("IO[bytes]", process.stdout)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, traceback)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where the commit has none, or one that is far too large."""
        self._in.write(f"{self._commit}:{path}\n".encode())
        self._in.flush()
        head = self._out.readline()
        fields = head.split()
        if not head:
            raise LabelError("git ended early", hint="Look at the clone with: git fsck")
        if len(fields) != 3 or fields[1] not in {b"blob", b"tree", b"commit", b"tag"}:
            return None  # "… missing"
        kind, size = fields[1], int(fields[2])
        if kind == b"blob" and size <= MAX_FILE_BYTES:
            return self._out.read(size + 1)[:-1]
        self._skip(size + 1)
        return None

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._out.read(min(size, _CHUNK)))


def has_commit(objects: Path, commit: str) -> bool:
    """Whether a clone has a commit."""
    with borrowing(objects) as environment:
        return _run(["cat-file", "-e", f"{commit}^{{commit}}"], environment).returncode == 0


def fetch_files(url: str, commit: str, paths: Sequence[str], clone: Path) -> None:
    """Fetch some files of a commit into a bare clone, made where there is none.

    The commit and its folders are fetched first, and then the files asked for in one go, where
    the server can give parts; otherwise the whole commit.

    Raises:
        LabelError: The server or the commit cannot be reached.
    """
    environment = _environment(clone)
    if objects_folder(clone) is None:
        clone.parent.mkdir(parents=True, exist_ok=True)
        _check(_run(["init", "--quiet", "--bare", "--template=", str(clone)], environment), url)
    for key, value in (
        *(("remote.origin.url", url), ("remote.origin.promisor", "true")),
        ("remote.origin.partialclonefilter", "blob:none"),
    ):
        _check(_run(["config", key, value], environment), url)
    fetch = [
        *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
        *("--no-write-fetch-head", "--no-auto-gc", "--filter=blob:none"),
    ]
    if not has_commit(clone / "objects", commit):
        _check(_run([*fetch, "--depth=1", "origin", commit], environment), url)
    blobs = _blobs(commit, paths, environment)
    if blobs:
        wanted = "".join(f"{blob}\n" for blob in blobs)
        _check(_run([*fetch, "--stdin", "origin"], environment, wanted), url)


def _blobs(commit: str, paths: Sequence[str], environment: dict[str, str]) -> list[str]:
    """Return the hashes of those files that a commit has."""
    listed = _run(["ls-tree", "-r", "-z", commit], environment).stdout
    by_path = dict(entry.split("\t", 1)[::-1] for entry in listed.split("\0") if entry)
    found = [by_path[path].split() for path in paths if path in by_path]
    return sorted({digest for _, kind, digest in found if kind == "blob"})


@contextmanager
def borrowing(objects: Path) -> Iterator[dict[str, str]]:
    """Make an empty repository that borrows a clone's objects; yield git's environment for it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        _run(["init", "--quiet", "--bare", "--template=", folder], environment)
        quoted = '"' + str(objects).replace("\\", "\\\\").replace('"', '\\"') + '"'
        yield {**environment, "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted}


def git_command() -> list[str]:
    """Return how git is called: nothing but git itself is to run.

    Raises:
        LabelError: git is not installed.
    """
    found = shutil.which("git")
    if found is None:
        raise LabelError("git is not installed", hint="Install it, and run the command again.")
    return [found, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]


def _environment(repository: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not _PLACES.match(key)},
        "GIT_DIR": str(repository),
        "GIT_ALLOW_PROTOCOL": "https:file",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _run(
    arguments: Sequence[str], environment: dict[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - no shell
        [*git_command(), *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def _check(done: subprocess.CompletedProcess[str], url: str) -> None:
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"git ended with {done.returncode}"
        raise LabelError(
            f"cannot be cloned ({said:.200})",
            where=url,
            hint="Check the network, or give a folder that has a clone with --from.",
        )
