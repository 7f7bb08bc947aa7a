"""From pointers to texts: the documents are read from clones, and every SHA-1 is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from topicml.errors import LabelError
from topicml.labels.archives import Archive
from topicml.labels.git import (
    MAX_FILE_BYTES,
    CommitFiles,
    fetch_files,
    has_commit,
    objects_folder,
)
from topicml.labels.normal_form import TextKind, document_text
from topicml.labels.references import LabelReference, ReferenceCount, check_known, read_references
from topicml.labels.texts import FOLDER, read_texts, sha1_of, texts_path, write_texts

CLONES = "clones"

Reason = Literal["no_clone", "no_file", "unreadable", "differs"]
"""Why a text is not there: no clone of the archive; no such file in the commit; a file that is
no text; a text at the place that is not the one that was labelled."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A label whose text was not found."""

    reference: LabelReference
    reason: Reason
    detail: str

    def __str__(self) -> str:
        document = self.reference.pointer.document
        return f"{self.reference.id}: {document}: {self.reason}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a label file's references.

    Attributes:
        path: Where the texts are kept.
        count: Labels by reference, and how many texts are there now.
        added: How many of these are new.
        problems: One for each text that is not there.
    """

    path: Path
    count: ReferenceCount
    added: int
    problems: tuple[Problem, ...]

    def problem_counts(self) -> list[tuple[str, Reason, int]]:
        """Count problems by repository and reason."""
        counts = Counter((p.reference.pointer.repository, p.reason) for p in self.problems)
        return [(*key, count) for key, count in sorted(counts.items())]


class Files(Protocol):
    """Where documents are read from."""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files of an ordinary folder; what lies outside, through whatever links, is none."""

    folder: Path

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none or one that is far too large."""
        try:
            file = (self.folder / path).resolve()
            is_inside = file.is_relative_to(self.folder.resolve()) and file.is_file()
            if is_inside and file.stat().st_size <= MAX_FILE_BYTES:
                return file.read_bytes()
        except (OSError, RuntimeError):  # a loop of links
            pass
        return None


def fetch_texts(
    labels: Path,
    archives: Mapping[str, Archive],
    folders: Sequence[Path] = (),
    *,
    on_step: Callable[[str], None] = lambda _: None,
    on_document: Callable[[int, int], None] = lambda _done, _total: None,
) -> Fetched:
    """Find the texts of a file's labels by reference, and keep them beside it.

    Texts that are kept already, and are what they should be, are not looked for again.

    Args:
        labels: Label file.
        archives: By repository.
        folders: Clones, plain copies, or folders of them; with none, archives are cloned.
        on_step: Told what is done next.
        on_document: Told how many documents are read, and of how many.

    Raises:
        LabelError: A label or pointer is malformed, or names an archive that is not listed.
        OutputError: The texts cannot be written.
    """
    references = read_references(labels)
    for reference in references:
        check_known(reference, archives, labels)
    texts = read_texts(labels, {reference.pointer.sha1 for reference in references})
    kept = len(texts)
    left = [reference for reference in references if reference.pointer.sha1 not in texts]
    documents = _by_document(left)
    total, done, problems = sum(map(len, documents.values())), 0, list[Problem]()
    for repository, by_path in documents.items():
        archive = archives[repository]
        try:
            files = open_archive(archive, list(by_path), labels, folders, on_step)
        except LabelError as err:
            problems += [Problem(r, "no_clone", str(err)) for rs in by_path.values() for r in rs]
            continue
        with files as source:
            for path, wanted in by_path.items():
                problems += _take(source.read(path), archive.text, wanted, texts)
                done += 1
                on_document(done, total)
    if len(texts) > kept:
        write_texts(labels, texts)
    with_text = sum(reference.pointer.sha1 in texts for reference in references)
    count = ReferenceCount(len(references), with_text)
    return Fetched(texts_path(labels), count, len(texts) - kept, tuple(problems))


def _by_document(
    references: Sequence[LabelReference],
) -> dict[str, dict[str, list[LabelReference]]]:
    """Group references by repository and path, both sorted."""
    grouped: dict[str, dict[str, list[LabelReference]]] = {}
    for reference in sorted(references, key=lambda r: (r.pointer.repository, r.pointer.path)):
        by_path = grouped.setdefault(reference.pointer.repository, {})
        by_path.setdefault(reference.pointer.path, []).append(reference)
    return grouped


def _take(
    data: bytes | None, kind: TextKind, wanted: Sequence[LabelReference], texts: dict[str, str]
) -> Iterator[Problem]:
    """Add a document's sentences to the texts; yield those that are not in it."""
    if data is None:
        yield from (Problem(r, "no_file", "no such file in the pinned commit") for r in wanted)
        return
    try:
        document = document_text(data, kind)
    except LabelError as err:
        yield from (Problem(r, "unreadable", err.what) for r in wanted)
        return
    for reference in wanted:
        pointer = reference.pointer
        text = document[pointer.start : pointer.start + pointer.length]
        if sha1_of(text) == pointer.sha1:
            texts[pointer.sha1] = text
        else:
            detail = f"SHA-1 is {sha1_of(text)}, not {pointer.sha1}"
            yield Problem(reference, "differs", detail)


def open_archive(
    archive: Archive,
    paths: Sequence[str],
    labels: Path,
    folders: Sequence[Path],
    on_step: Callable[[str], None],
) -> AbstractContextManager[Files]:
    """Return the archive's files: of the folders given, or of a clone made for the purpose.

    Args:
        archive: Which.
        paths: Files that will be read.
        labels: File beside whose cache a clone is made.
        folders: Clones, plain copies, or folders of them.
        on_step: Told where a clone is made.

    Raises:
        LabelError: None of the folders has them, or the archive cannot be cloned.
    """
    if folders:
        return _find(archive, paths, folders)
    clone = (labels.parent / FOLDER / CLONES / f"{archive.repository}.git").resolve()
    on_step(f"Fetching {len(paths):,} documents of {archive.url} into {clone}.")
    fetch_files(archive.url, archive.commit, paths, clone)
    return CommitFiles(clone / "objects", archive.commit)


def _find(
    archive: Archive, paths: Sequence[str], folders: Sequence[Path]
) -> AbstractContextManager[Files]:
    plain: list[Path] = []
    for folder in _candidates(archive.repository, folders):
        objects = objects_folder(folder)
        if objects is None:
            plain.append(folder)
        elif has_commit(objects, archive.commit):
            return CommitFiles(objects, archive.commit)
    for folder in plain:
        files = FolderFiles(folder)
        if any(files.read(path) is not None for path in paths):
            return nullcontext(files)
    raise LabelError(
        f"no clone has commit {archive.commit}, and no folder has the files",
        where=", ".join(map(str, folders)),
        hint=f"Clone {archive.url}, or in the clone: git fetch origin {archive.commit}",
    )


def _candidates(repository: str, folders: Sequence[Path]) -> Iterator[Path]:
    """Yield where an archive may be: each folder itself, those of its name, all inside it."""
    name = repository.partition("/")[2]
    named = (repository, f"{repository}.git", name, f"{name}.git")
    seen: set[Path] = set()
    for folder in folders:
        own = [folder, *(folder / inside for inside in named)]
        inside = [] if objects_folder(folder) else sorted(folder.iterdir())
        for candidate in [*own, *(f for f in inside if objects_folder(f))]:
            if candidate.is_dir() and candidate not in seen:
                seen.add(candidate)
                yield candidate
