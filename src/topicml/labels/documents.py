"""Whole documents of the archives, as a dump of unlabelled text.

A list names them, a line each: repository, tab, path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from topicml.errors import LabelError
from topicml.files import replacing
from topicml.labels.archives import Archive
from topicml.labels.fetch import open_archive
from topicml.labels.normal_form import document_text
from topicml.labels.references import is_inside

Document = tuple[str, str]
"""Repository and path."""


def read_document_list(path: Path, archives: Mapping[str, Archive]) -> list[Document]:
    """Read which documents are asked for.

    Raises:
        LabelError: The list cannot be read, or a line is not an archive's name, a tab and a path.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as err:
        raise LabelError(
            f"list of documents cannot be read ({err})", where=path, hint="Give it with --list."
        ) from err
    documents = []
    for number, line in enumerate(lines, start=1):
        repository, tab, name = line.partition("\t")
        if not tab or not is_inside(name) or repository not in archives:
            raise LabelError(
                "not an archive's name, a tab and a path inside it",
                where=f"{path}:{number}",
                hint=f"Known archives: {', '.join(archives)}.",
            )
        documents.append((repository, name))
    return documents


def write_documents(
    listing: Path,
    archives: Mapping[str, Archive],
    folders: Sequence[Path],
    output: Path,
    *,
    on_step: Callable[[str], None] = lambda _: None,
    on_document: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[int, list[str]]:
    """Write documents as JSON Lines of ``id`` (repository/path) and ``text`` (the normal form).

    Args:
        listing: See ``read_document_list``.
        archives: By repository.
        folders: Clones, or folders of them; with none, archives are cloned beside the list.
        output: File to write.
        on_step: Told what is done next.
        on_document: Told how many documents are read, and of how many.

    Returns:
        How many documents were written, and a line on each that was not.

    Raises:
        LabelError: The list is malformed, or an archive cannot be had.
        OutputError: The file cannot be written.
    """
    documents = read_document_list(listing, archives)
    missing: list[str] = []
    with replacing(output) as file:
        texts = _texts(documents, archives, folders, listing, missing, on_step)
        for done, (identifier, text) in enumerate(texts, start=1):
            record = json.dumps({"id": identifier, "text": text}, ensure_ascii=False)
            file.write(record.encode() + b"\n")
            on_document(done, len(documents))
    return len(documents) - len(missing), missing


def _texts(
    documents: Sequence[Document],
    archives: Mapping[str, Archive],
    folders: Sequence[Path],
    listing: Path,
    missing: list[str],
    on_step: Callable[[str], None],
) -> Iterator[tuple[str, str]]:
    for repository in dict.fromkeys(repository for repository, _ in documents):
        archive = archives[repository]
        paths = [path for name, path in documents if name == repository]
        with open_archive(archive, paths, listing, folders, on_step) as files:
            for path in paths:
                name, data = f"{repository}/{path}", files.read(path)
                if data is None:
                    missing.append(f"{name}: no such file in the pinned commit")
                    continue
                try:
                    yield name, document_text(data, archive.text)
                except LabelError as err:
                    missing.append(f"{name}: {err.what}")
