"""Annotations of a tool become a label file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from topicml.appending import locked
from topicml.errors import LabelError
from topicml.files import REPLACE, write_text
from topicml.labels.annotations import AnnotationStore
from topicml.labels.checks import Finding, check_labels
from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.following import follow
from topicml.labels.exchange.formats import FORMATS, Format, sniff
from topicml.labels.exchange.merge import Located, Merged
from topicml.labels.exchange.names import Names
from topicml.labels.exchange.source import read_source
from topicml.labels.fields import LONE_SURROGATE
from topicml.labels.records import Annotation, LabelRecord
from topicml.labels.references import LabelReference, read_references
from topicml.labels.store import LabelFile, read_label_file
from topicml.labels.texts import sha1_of
from topicml.taxonomy import Taxonomy

ANNOTATIONS = "annotations"
"""The folder beside a label file with the annotations of several people."""

_Label = LabelRecord | LabelReference


@dataclass(frozen=True, slots=True)
class Change:
    """What an import makes of a label file.

    Attributes:
        output: The label file.
        merged: What was imported.
        there: The file as it is; None where there is none.
        append: Whether it is added to, and not replaced.
        given: What was imported, before labels followed the annotations that are there.
        followed: Ids of labels that do, see ``follow``.
    """

    output: Path
    merged: Merged
    there: LabelFile | None = None
    append: bool = False
    given: Merged | None = None
    followed: frozenset[str] = frozenset()

    @property
    def _old(self) -> dict[str, _Label]:
        return _by_id(self.there)

    @property
    def records(self) -> list[LabelRecord]:
        """What was imported, in its order."""
        return [record for _, record in self.merged.records]

    @property
    def new(self) -> list[LabelRecord]:
        """Records whose ids are not there."""
        old = self._old
        return [record for record in self.records if record.id not in old]

    @property
    def changed(self) -> list[tuple[_Label, LabelRecord]]:
        """Pairs of what is there and what was imported, where they differ."""
        old = self._old
        pairs = [(old[record.id], record) for record in self.records if record.id in old]
        return [(before, record) for before, record in pairs if _joined(before, record) != record]

    @property
    def removed(self) -> int:
        """How many labels are there and not in what takes their place."""
        return 0 if self.append else len({*self._old} - {record.id for record in self.records})

    @property
    def same(self) -> int:
        """How many records are there already."""
        return len(self.records) - len(self.new) - len(self.changed)


def _by_id(there: LabelFile | None) -> dict[str, _Label]:
    labels: list[_Label] = [*there.records, *there.without_text] if there else []
    return {label.id: label for label in labels}


def _joined(label: _Label, record: LabelRecord) -> LabelRecord:
    return label if isinstance(label, LabelRecord) else label.with_text(record.text)


def read_annotations(
    paths: Sequence[Path],
    given: Format | None,
    columns: Columns,
    names: Names,
    annotator: str = "",
    encoding: str | None = None,
) -> list[Located]:
    """Read files of annotation tools.

    Args:
        paths: The files.
        given: Their format; None to find out for each.
        columns: Where they have what.
        names: What label names stand for.
        annotator: Who made the annotations that name nobody; where there are several files,
            their names are taken.
        encoding: Of the files; None to find out.

    Raises:
        LabelError: With file and line or item.
    """
    located: list[Located] = []
    for path in paths:
        source = read_source(path, encoding)
        found = list(FORMATS[given or sniff(source)].read(source, columns))
        names.check(found, path)
        who = annotator or (path.stem if len(paths) > 1 else "")
        located += [(path, _checked(_by(annotation, who), path)) for annotation in found]
    return located


def _checked(annotation: ForeignAnnotation, path: Path) -> ForeignAnnotation:
    """Return an annotation that a file can hold.

    Raises:
        LabelError: Something that it is called has half of a character.
    """
    for value in (annotation.id, annotation.article, annotation.annotator):
        if LONE_SURROGATE.search(value):
            raise LabelError(
                f"{value!r} has a lone surrogate, half of a character",
                where=f"{path}:{annotation.number}",
                hint="Correct or remove the annotation.",
            )
    return annotation


def _by(annotation: ForeignAnnotation, who: str) -> ForeignAnnotation:
    return replace(annotation, annotator=annotation.annotator or who) if who else annotation


def plan_change(merged: Merged, output: Path, *, append: bool) -> Change:
    """Return what an import makes of a label file; nothing is written.

    Raises:
        LabelError: The file is to be added to, and something in it is no label.
    """
    broken: list[LabelError] | None = None if append else []
    there = read_label_file(output, broken) if output.is_file() else None
    if not (append and there):
        return Change(output, merged, there, append, merged)
    store = AnnotationStore(output.parent / ANNOTATIONS)
    stored = store.read() if merged.annotations and store.folder.is_dir() else []
    found, followed = follow(merged, _by_id(there), stored, output.name)
    return Change(output, found, there, append, merged, followed)


def check_change(change: Change, taxonomy: Taxonomy, raw: dict[str, str]) -> list[Finding]:
    """Check the labels of a file as it would be; see ``check_labels``."""
    files: dict[Path, list[LabelRecord]] = {}
    for path, record in change.merged.records:
        files.setdefault(path, []).append(record)
    if change.append and change.there:
        imported = {record.id for record in change.records}
        kept = [record for record in change.there.records if record.id not in imported]
        files = {change.output: kept} | files
    return check_labels(files, taxonomy, raw)


def write_change(change: Change, *, force: bool) -> list[Path]:
    """Write the label file, and annotations where several people made them; return both.

    Raises:
        LabelError: There is nothing to write, or a label that is there would be changed, without
            ``force``.
        OutputError: A file cannot be written.
    """
    if not change.records:
        raise LabelError("no labels to import", where=change.output, hint="Nothing was written.")
    with locked(change.output):
        given = change.given or change.merged
        now = plan_change(given, change.output, append=change.append)
        if now.there != change.there and not (change.append or force):
            raise LabelError("exists already", where=change.output, hint=REPLACE)
        return _write(now, force=force)


def _write(change: Change, *, force: bool) -> list[Path]:
    changed = [record.id for _, record in change.changed if record.id not in change.followed]
    if change.append and changed and not force:
        first = changed[0]
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        hint = f"{REPLACE} --dry-run shows them. Name annotators with --annotator: all count then."
        what = f"other labels or annotators are there for {first!r}{more}"
        raise LabelError(what, where=change.output, hint=hint)
    text = _appended(change) if change.append and change.there else _lines(change.records)
    store = AnnotationStore(change.output.parent / ANNOTATIONS)
    added = store.append(_unknown(change.merged.annotations, store))
    write_text(change.output, text)
    return [change.output, *([store.path] if added else [])]


def _unknown(annotations: Sequence[Annotation], store: AnnotationStore) -> list[Annotation]:
    """Return the annotations that do not repeat what the same annotator said last."""
    known = store.read() if store.folder.is_dir() else []
    last = {(one.annotator, one.id): (one.topics, one.decides) for one in known}
    return [one for one in annotations if last.get((one.annotator, one.id)) != (one.topics, True)]


def _lines(records: Sequence[LabelRecord]) -> str:
    return "".join(record.to_json() + "\n" for record in records)


def _appended(change: Change) -> str:
    """Return the file's text with new labels behind it and changed ones in their places.

    A label by reference stays one.
    """
    lines = change.output.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    references = {reference.id: reference for reference in read_references(change.output)}
    for before, record in change.changed:
        reference = references.get(record.id)
        is_referred = reference is not None and reference.pointer.sha1 == sha1_of(record.text)
        label = _referred(reference, record) if reference and is_referred else record
        assert before.line is not None  # noqa: S101 - it was read from a file
        lines[before.line - 1] = label.to_json()
    kept = "\n".join(lines)
    return (f"{kept}\n" if kept else "") + _lines(change.new)


def _referred(reference: LabelReference, record: LabelRecord) -> LabelReference:
    return replace(
        reference,
        topics=record.topics,
        annotator=record.annotator,
        status=record.status,
        unsure=False,
    )
