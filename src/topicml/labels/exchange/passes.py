"""Annotations of several people, a file each: ``annotations/NAME.pass-1.jsonl``."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from topicml.errors import LabelError
from topicml.files import REPLACE, write_text, writing
from topicml.labels.records import Annotation, read_annotations

FOLDER = "annotations"


def join_passes(
    labels: Path, passes: Mapping[str, Sequence[Annotation]], *, force: bool
) -> dict[Path, list[Annotation]]:
    """Join annotations with those that are there, and return what each file is to hold.

    Args:
        labels: The label file that they belong to.
        passes: Annotations by annotator.
        force: Whether an annotator's new answer may take the place of an old one.

    Raises:
        LabelError: It would, or a file that is there cannot be read.
    """
    folder = labels.parent / FOLDER
    there = {
        path: read_annotations(path)
        for path in sorted(folder.glob(f"{glob.escape(labels.stem)}.pass-*.jsonl"))
    }
    files = {a.annotator: path for path, found in there.items() for a in found}
    numbered = (folder / f"{labels.stem}.pass-{number}.jsonl" for number in itertools.count(1))
    free = (path for path in numbered if path not in there)
    joined = {}
    for annotator, given in passes.items():
        path = files.get(annotator) or next(free)
        by_id = {annotation.id: annotation for annotation in there.get(path, ())}
        for annotation in given:
            old = by_id.get(annotation.id, annotation)
            if old.topics != annotation.topics and not force:
                what = f"{annotator!r} has other topics for {annotation.id!r} there"
                raise LabelError(what, where=path, hint=REPLACE)
            by_id[annotation.id] = annotation
        joined[path] = [*by_id.values()]
    return joined


def write_passes(files: Mapping[Path, Sequence[Annotation]]) -> None:
    """Write files of annotations, each in one step.

    Raises:
        OutputError: One cannot be written.
    """
    for path, given in files.items():
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        write_text(path, "".join(annotation.to_json() + "\n" for annotation in given))
