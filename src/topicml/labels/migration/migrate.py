"""A migration planned, applied to all files at once, and undone.

What is to be changed is written down first (``history``), then the files are replaced one after
the other. A process that is killed before the first part is done has changed nothing; from one
killed later on, the next ends what was begun. Until then commands refuse to read the labels.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from topicml.appending import locked
from topicml.errors import LabelError
from topicml.files import remove_folder, replacing, write_text, writing
from topicml.labels.annotations import AnnotationStore
from topicml.labels.fields import parse_jsonl, read_content
from topicml.labels.migration import history
from topicml.labels.migration.history import APPLYING, UNDOING, Applied
from topicml.labels.migration.label_lines import MovedLabels, move_labels
from topicml.labels.migration.patches import Patch, patch_of
from topicml.labels.migration.scheme_file import MovedScheme, move_scheme
from topicml.labels.migration.steps import Migration, check_against, read_migration, version_key
from topicml.labels.store import check_topics, read_as_written
from topicml.taxonomy import Taxonomy, load_taxonomy, parse_taxonomy

ANNOTATIONS = "annotations"
CODEBOOK = "CODEBOOK.md"
_CHANGED = "Correct it by hand, or by another migration onward; version control has what it was."


@dataclass(frozen=True, slots=True)
class Plan:
    """What a migration changes.

    Attributes:
        migration: The file.
        version: Of the scheme as it is; empty where it has none.
        scheme: The taxonomy file as it would be.
        labels: Label files as they would be, by path; those that change nothing, too.
        codebook: Whether the page beside the taxonomy is what it renders, and follows.
        annotations: How many annotations are read as other topics.
        contents: What changes, the taxonomy file first: content as it is, and as it would be.
    """

    migration: Migration
    version: str
    scheme: MovedScheme
    labels: dict[Path, MovedLabels]
    codebook: bool | None
    annotations: int
    contents: dict[Path, tuple[bytes, bytes]]

    @property
    def queue(self) -> list[str]:
        """Lines of the labels that are to be made anew."""
        return [line for moved in self.labels.values() for line in moved.queue]


def plan_migration(path: Path, taxonomy: Path, labels: Sequence[Path]) -> Plan:
    """Return what a migration would change; nothing is written.

    Args:
        path: The migration file.
        taxonomy: The taxonomy file; migrations, annotations and codebook lie beside it.
        labels: Label files.

    Raises:
        LabelError: The migration does not fit the scheme, or a file is none of labels.
        TaxonomyError: The taxonomy breaks a rule.
    """
    migration = read_migration(path)
    scheme = load_taxonomy(taxonomy)
    _check_version(scheme, taxonomy)
    check_against(migration, scheme)
    before = read_content(taxonomy)
    moved = move_scheme(before.decode("utf-8"), migration)
    contents = {taxonomy: (before, moved.text.encode("utf-8"))}
    new = parse_taxonomy(contents[taxonomy][1], taxonomy)
    page = taxonomy.parent / CODEBOOK
    codebook = page.read_bytes() == scheme.to_markdown().encode() if page.is_file() else None
    if codebook:
        contents[page] = page.read_bytes(), new.to_markdown().encode()
    files: dict[Path, MovedLabels] = {}
    for file in labels:
        check_topics(read_as_written(file), scheme, file)
        before = read_content(file)
        files[file] = move_labels(before, migration)
        contents[file] = before, files[file].content
    changed = {file: sides for file, sides in contents.items() if sides[0] != sides[1]}
    read = _annotations_moved(taxonomy.parent, migration)
    return Plan(migration, scheme.version, moved, files, codebook, read, changed)


def _check_version(scheme: Taxonomy, taxonomy: Path) -> None:
    """Make sure that a taxonomy is not of before the migrations that it has had."""
    done = [one.migration.version for one in history.applied(taxonomy.parent)]
    if done and version_key(done[-1]) > version_key(scheme.version):
        raise LabelError(
            f"is version {scheme.version!r}, and a migration to {done[-1]!r} has been applied",
            where=taxonomy,
            hint="Restore the version.",
        )


def _annotations_moved(folder: Path, migration: Migration) -> int:
    store = AnnotationStore(folder / ANNOTATIONS)
    if not store.folder.is_dir():
        return 0
    return sum(bool(migration.becomes.keys() & one.topics) for one in store.read())


def apply_migration(path: Path, taxonomy: Path, labels: Sequence[Path]) -> Plan | None:
    """Apply a migration to all files, or to none.

    Returns:
        What was changed; None where the migration had been cut off and is ended now.

    Raises:
        LabelError: See ``plan_migration``.
        OutputError: A file cannot be written.
    """
    folder = taxonomy.parent
    with _locked(folder, labels):
        ended = _end_unfinished(folder)
        if ended and not _is_undoing(ended) and ended.migration.content == read_content(path):
            return None
        plan = plan_migration(path, taxonomy, labels)
        _carry_out(_written_down(plan, folder), folder)
        return plan


def undo_migration(taxonomy: Path, labels: Sequence[Path]) -> Migration:
    """Undo the last migration, in all files or in none; return it.

    What was added to the files since stays.

    Raises:
        LabelError: There is none; or lines that it changed have been changed since, or what was
            added since needs the topics that it made.
        OutputError: A file cannot be written.
    """
    folder = taxonomy.parent
    with _locked(folder, labels):
        ended = _end_unfinished(folder)
        if ended and _is_undoing(ended):
            return ended.migration
        done = history.applied(folder)
        if not done:
            raise LabelError(
                "no migration to undo", where=folder / history.FOLDER, hint="None was applied."
            )
        last = done[-1]
        _check_undoable(last, taxonomy, labels)
        undoing = last.folder.with_name(last.folder.name + UNDOING)
        with writing(undoing):
            last.folder.rename(undoing)
        _carry_out(undoing, folder)
        return last.migration


def _check_undoable(last: Applied, taxonomy: Path, labels: Sequence[Path]) -> None:
    """Raise a ``LabelError`` where files would not be as they were, or not fit each other."""
    folder = taxonomy.parent
    restored = {
        (folder / patch.path).resolve(): _patched(patch.reverse, folder / patch.path)
        for patch in last.patches()
    }
    scheme = parse_taxonomy(restored[taxonomy.resolve()], taxonomy)
    for path in labels:
        content = restored.get(path.resolve()) or read_content(path)
        for number, fields in parse_jsonl(content, path):
            for topic in fields.get("topics", []):
                if topic not in scheme.topic_ids:
                    raise LabelError(
                        f"{topic!r} was given since, and is no topic without the migration",
                        where=f"{path}:{number}",
                        hint=_CHANGED,
                    )
    store = AnnotationStore(folder / ANNOTATIONS)
    version = version_key(last.migration.version)
    for one in store.read_as_written() if store.folder.is_dir() else []:
        if version_key(one.scheme) >= version:
            raise LabelError(
                f"{one.id!r} was annotated by version {one.scheme} of the scheme",
                where=one.where,
                hint=f"Annotations stay: go on by another migration than {last.migration.version}.",
            )


@contextmanager
def _locked(folder: Path, labels: Iterable[Path]) -> Iterator[None]:
    """Keep other migrations waiting, and writers of label files that this one may change."""
    with ExitStack() as stack:
        stack.enter_context(locked(folder / history.FOLDER))
        pending = history.unfinished(folder)
        last = [_read(pending)] if pending else history.applied(folder)[-1:]
        changed = [folder / patch.path for one in last for patch in one.patches()]
        files = [*labels, *(path for path in changed if path.suffix == ".jsonl")]
        for path in sorted({path.resolve() for path in files}):
            stack.enter_context(locked(path))
        yield


def _is_undoing(begun: Applied) -> bool:
    return begun.folder.suffix == UNDOING


def _read(pending: Path) -> Applied:
    return Applied(pending, read_migration(pending / history.STEPS))


def _written_down(plan: Plan, folder: Path) -> Path:
    """Write down what is to be changed, and return the folder that says so."""
    version = plan.migration.version
    begun = folder / history.FOLDER / f".{version}.part"
    remove_folder(begun)
    with writing(begun):
        begun.mkdir(parents=True)
    patches = [
        patch_of(os.path.relpath(path, folder), before, after)
        for path, (before, after) in plan.contents.items()
    ]
    changes = ",\n".join(json.dumps(p.to_fields(), ensure_ascii=False) for p in patches)
    write_text(begun / history.CHANGES, f"[\n{changes}\n]\n")
    if plan.queue:
        write_text(begun / history.QUEUE, "".join(line + "\n" for line in plan.queue))
    if plan.scheme.open_cases:
        write_text(begun / history.OPEN_CASES, plan.scheme.open_cases)
    _write(begun / history.STEPS, plan.migration.content)
    applying = begun.with_name(version + APPLYING)
    with writing(applying):
        begun.rename(applying)
    return applying


def _end_unfinished(folder: Path) -> Applied | None:
    """End a migration that was cut off, and return it."""
    pending = history.unfinished(folder)
    if pending is None:
        return None
    ended = _read(pending)
    _carry_out(pending, folder)
    return ended


def _carry_out(pending: Path, folder: Path) -> None:
    """Make the changes that are written down, or those left of them.

    Files go in an order in which a topic is unknown, and never wrong, to whoever reads them in
    between: a new scheme comes first, and goes last.
    """
    begun = _read(pending)
    patches, undoing = begun.patches(), _is_undoing(begun)
    for patch in [patch.reverse for patch in reversed(patches)] if undoing else patches:
        path = folder / patch.path
        content = _patched(patch, path)
        if content != read_content(path):
            _write(path, content)
    end = pending.with_name(f".{pending.stem}.part" if undoing else pending.stem)
    with writing(end):
        remove_folder(end)
        pending.rename(end)
    if undoing:
        remove_folder(end)
        with suppress(OSError):  # others are there
            end.parent.rmdir()


def _patched(patch: Patch, path: Path) -> bytes:
    """Return a file with a change made, be it there already.

    Raises:
        LabelError: It has been changed in a way that leaves no place for it.
    """
    data = read_content(path)
    if patch.reverse.apply(data) is not None:
        return data
    content = patch.apply(data)
    if content is None:
        raise LabelError(
            "what the migration changed has been changed since", where=path, hint=_CHANGED
        )
    return content


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)
