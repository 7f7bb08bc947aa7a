"""``models/NAME/test_set.json``: the sentences that all versions of a name are judged by.

Labels that are added later would move the figures by being easy or hard themselves. So a name
keeps the sentences that its first version was judged by, as SHA-1 of their texts, whatever else
there is to train on (docs/decisions/test-set.md).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.errors import LabelError, ModelError
from topicml.files import write_text
from topicml.labels.checks import without_case
from topicml.labels.records import LabelRecord
from topicml.labels.store import LabelFile, read_label_files
from topicml.labels.texts import sha1_of
from topicml.models.folder import sha256_file
from topicml.models.manifest import is_digests, read_text
from topicml.models.store import ModelStore
from topicml.taxonomy import Taxonomy
from topicml.training.dataset import Dataset, make_dataset

FILE = "test_set.json"
_MAX_BYTES = 100_000_000  # two million sentences


@dataclass(frozen=True, slots=True)
class SentenceSet:
    """Sentences by the SHA-1 of their texts, but for case and white space.

    Attributes:
        sha1: Of each.
        files: SHA-256 of the label files that they are from, by path.
    """

    sha1: frozenset[str]
    files: Mapping[str, str]

    def rows(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of n texts belong to the set."""
        return np.array([_key(text) in self.sha1 for text in texts], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a version is judged by.

    Attributes:
        sentences: The test set of its name.
        data: n sentences: what is trained on, and behind it what is only judged by.
        learned: n, whether a sentence is trained on.
        rows: n, whether it is in the test set.
        is_new: Whether the name is to remember it.
    """

    sentences: SentenceSet
    data: Dataset
    learned: NDArray[np.bool_]
    rows: NDArray[np.bool_]
    is_new: bool

    def note(self, name: str) -> str:
        """Say what is not judged by, where labels were added to those of the test set."""
        others = int((self.learned & ~self.rows).sum())
        if not others:
            return ""
        return f" Judged by the test set of {name}: {others:,} other labels are trained on alone."

    def judged(self, rows: NDArray[np.intp]) -> SentenceSet:
        """Return the sentences that were judged, for later versions."""
        return SentenceSet(frozenset(_key(self.data.texts[n]) for n in rows), self.sentences.files)

    def fields(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """Return what a manifest states of the sentences that were judged."""
        return {
            "sentences": len(rows),
            "sha256": _digest(self.data, rows),
            "files": {Path(path).name: digest for path, digest in self.sentences.files.items()},
        }


def choose_judged(
    store: ModelStore,
    name: str,
    files: Sequence[LabelFile],
    data: Dataset,
    taxonomy: Taxonomy,
    test: Sequence[Path] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> Judged:
    """Return what a version is judged by.

    Args:
        store: Of the new version.
        name: Its name.
        files: What it is trained on.
        data: The same as a dataset.
        taxonomy: Its topics.
        test: Label files to judge by from now on; none for what the name remembers, which is what
            its first version was trained on.
        on_note: Told of test sentences that are not here.

    Raises:
        TopicmlError: A file cannot be read, or no test sentence is here.
    """
    remembered = None if test else read_test_set(store, name)
    paths = [*test] or [Path(path) for path in (remembered.files if remembered else ())]
    here = [path for path in paths if test or os.path.isfile(path)]  # noqa: PTH113 - be it no name
    given = read_label_files(here, taxonomy) if here else []
    chosen = remembered or _set_of(_used(given if test else files), paths or _paths(files))
    known = {_key(text) for text in data.texts}
    more = {_key(r.text): r for r in _used(given)}
    extra = [r for key, r in more.items() if key in chosen.sha1 - known]
    everything = make_dataset([*_used(files), *extra], taxonomy) if extra else data
    rows = chosen.rows(everything.texts)
    missing = len(chosen.sha1) - len({_key(everything.texts[n]) for n in np.flatnonzero(rows)})
    if not rows.any():
        raise LabelError(
            f"none of the {len(chosen.sha1):,} test sentences of {name} is here",
            where=", ".join(map(str, paths)) or None,
            hint="Give the label files to judge by with --test.",
        )
    if missing:
        on_note(
            f"{missing:,} of the {len(chosen.sha1):,} test sentences of {name} are not here: "
            "figures are of the others"
        )
    learned = np.arange(len(everything)) < len(data)
    return Judged(chosen, everything, learned, rows, remembered is None)


def read_test_set(store: ModelStore, name: str) -> SentenceSet | None:
    """Return the sentences that the versions of a name are judged by; None where it has none.

    Raises:
        ModelError: The file is damaged, or the name is not usable.
    """
    path = store.name_folder(name) / FILE
    try:
        fields = json.loads(read_text(path, _MAX_BYTES))
        if not isinstance(fields["sha1"], list) or not is_digests(fields["files"]):
            raise ValueError("no list of sha1, or no SHA-256 by file")  # noqa: TRY301
        return SentenceSet(frozenset(map(str, fields["sha1"])), fields["files"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise ModelError(
            f"not a test set ({err})",
            where=path,
            hint="Restore it from version control, or choose another one with --test.",
        ) from err


def write_test_set(store: ModelStore, name: str, sentences: SentenceSet) -> None:
    """Keep what the versions of a name are judged by."""
    fields = {"files": dict(sentences.files), "sha1": sorted(sentences.sha1)}
    write_text(store.name_folder(name) / FILE, json.dumps(fields, indent=1) + "\n")


def _set_of(records: Sequence[LabelRecord], paths: Sequence[Path]) -> SentenceSet:
    keys = frozenset(_key(record.text) for record in records)
    return SentenceSet(keys, {str(path): sha256_file(path) for path in paths})


def _paths(files: Sequence[LabelFile]) -> list[Path]:
    return [file.path for file in files]


def _used(files: Sequence[LabelFile]) -> list[LabelRecord]:
    return [r for file in files for r in file.records if r.status != "skipped"]


def _key(text: str) -> str:
    return sha1_of(without_case(text))


def _digest(data: Dataset, rows: NDArray[np.intp]) -> str:
    """Return a hash of sentences and their labels, whatever their order."""
    topics = np.array(data.topics)
    lines = sorted(f"{_key(data.texts[n])} {' '.join(topics[data.Y[n] > 0])}" for n in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
