"""Two models on the same labelled sentences: figures, changed tags, words, labels, a verdict."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from topicml.errors import TopicmlError
from topicml.io.records import counted
from topicml.labels.store import read_label_files
from topicml.models.comparisons import record_comparison
from topicml.models.folder import Model, base_of, check_scheme, sha256_files
from topicml.models.gate import DEFAULT_GATE, Check, Gate
from topicml.models.provenance import LabelEdits, LabelFiles, Seen, find_seen, label_edits
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import dataset_of_files
from topicml.training.evaluation import Predictions, model_predictions
from topicml.training.metrics import FEW_DOCUMENTS
from topicml.training.paired import Paired, compare_predictions
from topicml.training.shown import Rows, Shown
from topicml.training.word_changes import WordChange, word_changes


@dataclass(frozen=True, slots=True)
class Flip:
    """A sentence whose topics changed, and the topics it is labelled with."""

    id: str
    document: str
    text: str
    labels: tuple[str, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Shown):
    """All that differs between two models.

    Attributes:
        old: The one that is to be replaced.
        new: The one to take its place.
        data: SHA-256 of the label files by name.
        left_out: Sentences left out because a model was trained on them.
        seen: Of each model.
        paired: The figures.
        flips: Sentences whose topics changed.
        words: Those that changed most, by topic; None where a model is a network.
        labels: How the labels changed.
        gate: What the new model must not lose.
        checks: Its limits, and what was found.
        cautions: What a reader must know of the figures.
    """

    old: Model
    new: Model
    data: Mapping[str, str]
    left_out: int
    seen: tuple[Seen, Seen]
    paired: Paired
    flips: tuple[Flip, ...]
    words: Mapping[str, tuple[WordChange, ...]] | None
    labels: tuple[LabelEdits, ...]
    gate: Gate
    checks: tuple[Check, ...]
    cautions: tuple[str, ...]

    @property
    def verdict(self) -> Literal["ok", "refused"]:
        """``refused`` where a limit of the gate is not kept."""
        passed = {check.passed for check in self.checks} - {None}
        return "ok" if passed == {True} else "refused"  # where nothing was measured, too

    @property
    def headline(self) -> str:
        """Which models, the verdict, and the cautions."""
        return " ".join(
            [
                f"{self.new.reference} in place of {self.old.reference}: {self.verdict}.",
                *(f"Note: {caution}." for caution in self.cautions),
            ]
        )

    def tables(self) -> dict[str, Rows]:
        """Return ``figures``, ``topics``, the gate's ``checks``, and the ``flips``."""
        paired = self.paired
        return {
            "figures": [{"figure": name, **asdict(row)} for name, row in paired.figures.items()],
            "topics": [
                {"topic": t.topic, "support": t.support, **asdict(t.f1)} for t in paired.topics
            ],
            "checks": [asdict(check) for check in self.checks],
            "flips": [asdict(flip) for flip in self.flips],
        }

    def to_dict(self, flips: int | None = None) -> dict[str, Any]:
        """Return plain JSON values; of ``flips`` the first so many, all for None."""
        paired = asdict(self.paired)
        return {
            "old": _side(self.old, self.seen[0]),
            "new": _side(self.new, self.seen[1]),
            "data": dict(self.data),
            "sentences": paired["sentences"],
            "documents": paired["documents"],
            "left_out": self.left_out,
            "metrics": {name: _shown(row) for name, row in paired["figures"].items()},
            "topics": [{**row, "f1": _shown(row["f1"])} for row in paired["topics"]],
            "calibration": {
                "old": paired["reliability_old"],
                "new": paired["reliability_new"],
            },
            "flipped": len(self.flips),
            "flips": [asdict(flip) for flip in self.flips[:flips]],
            "words": self.words
            and {topic: [asdict(word) for word in words] for topic, words in self.words.items()},
            "labels": [asdict(edits) for edits in self.labels],
            "gate": {**asdict(self.gate), "sha256": self.gate.sha256},
            "checks": [asdict(check) for check in self.checks],
            "cautions": list(self.cautions),
            "verdict": self.verdict,
        }


def compare_models(
    old: Model,
    new: Model,
    labels: Sequence[Path],
    taxonomy: Path,
    *,
    at_hand: Sequence[Path] = (),
    gate: Gate = DEFAULT_GATE,
    unseen: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compare two models on labelled sentences, tagged as ``classify`` tags.

    Args:
        old: From ``load_model``.
        new: From ``load_model``; of the same topics.
        labels: Label files to judge by.
        taxonomy: Taxonomy file of the models.
        at_hand: More label files that models may have been trained on, such as an earlier state.
        gate: What the new model must not lose.
        unseen: Leave out sentences that a model was trained on, near copies included, even where
            both were. Those of one alone are always left out: they would decide for it.
        on_note: Told of labels that are left out, for want of their texts.

    Raises:
        TopicmlError: The labels cannot be read, a model has other topics than the taxonomy, the
            gate names another topic, or no sentence is left.
    """
    scheme = load_taxonomy(taxonomy)
    for model in (old, new):
        check_scheme(model, scheme, taxonomy)
    for topic in gate.floors:
        scheme.check([topic], "[gate.floors]")
    read = read_label_files(labels, scheme)
    data = dataset_of_files(read, scheme, on_note)
    ids = [r.id for file in read for r in file.records if r.status != "skipped"]
    files = LabelFiles(tuple(dict.fromkeys([*labels, *at_hand])))
    seen = find_seen(old, data.texts, files), find_seen(new, data.texts, files)
    kept, cautions = _fair_rows(old, new, seen, unseen=unseen)
    if not kept.any():
        raise TopicmlError(
            "a model was trained on every sentence, so none is left to compare on"
            if unseen
            else "one of the models alone was trained on every sentence, so none is left",
            where=", ".join(map(str, labels)),
            hint="Compare on labels that neither was trained on, with --data.",
        )
    data, ids = data.subset(kept), [ids[i] for i in np.flatnonzero(kept)]
    before, after = (model_predictions(model.scorer, data, "") for model in (old, new))
    paired = compare_predictions(before, after)
    if paired.documents < FEW_DOCUMENTS:
        cautions.append(
            f"{paired.documents} documents are few: on others the difference may be another"
        )
    topics = {t.topic: {"support": t.support, "f1": asdict(t.f1)} for t in paired.topics}
    checks = gate.check({k: asdict(v) for k, v in paired.figures.items()}, topics)
    cautions += _cautions_of(checks)
    any_network = base_of(old.manifest) or base_of(new.manifest)
    return Comparison(
        old=old,
        new=new,
        data=sha256_files(labels),
        left_out=len(kept) - len(data),
        seen=seen,
        paired=paired,
        flips=_find_flips(before, after, ids, data.texts),
        words=None if any_network else word_changes(old.scorer, new.scorer, data.texts),
        labels=label_edits(old, new, files),
        gate=gate,
        checks=tuple(checks),
        cautions=tuple(cautions),
    )


def record_in_store(comparison: Comparison, store: ModelStore) -> bool:
    """Note a comparison of two versions of one name beside them, for ``models promote``.

    Returns:
        Whether it was: not for models of two names, or of another place than the store.

    Raises:
        ModelError: What is noted there cannot be read.
        OutputError: The store cannot be written to.
    """
    models = comparison.old, comparison.new
    name = comparison.new.manifest["name"]
    own = [store.path(name, model.manifest["version"]) for model in models]
    if [p.resolve() for p in own] != [model.path.resolve() for model in models]:
        return False
    old, new = (model.manifest for model in models)
    record_comparison(
        store.name_folder(name),
        {
            "old": old["version"],
            "new": new["version"],
            "old_sha256": old["manifest_sha256"],
            "new_sha256": new["manifest_sha256"],
            "gate_sha256": comparison.gate.sha256,
            "verdict": comparison.verdict,
            "failed": [check.what for check in comparison.checks if check.passed is False],
            "data": dict(comparison.data),
            "sentences": comparison.paired.sentences,
            "left_out": comparison.left_out,
            "old_seen": int(comparison.seen[0].same.sum()),
            "new_seen": int(comparison.seen[1].same.sum()),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    )
    return True


def _side(model: Model, seen: Seen) -> dict[str, Any]:
    return {
        "model": model.reference,
        "sha256": model.manifest["manifest_sha256"],
        "kind": model.manifest["kind"],
        "seen": {
            "same": int(seen.same.sum()),
            "near": int(seen.near.sum()),
            "known": seen.is_known,
            "changed": list(seen.changed),
            "missing": list(seen.missing),
            "partial": list(seen.partial),
        },
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row.pop("low"), row.pop("high")
    return {**row, "interval": None if low is None else [low, high]}


def _fair_rows(
    old: Model, new: Model, seen: tuple[Seen, Seen], *, unseen: bool
) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which of n sentences favour neither model, and what to say of them all."""
    by_old, by_new = (side.same | side.near for side in seen)
    cautions = [side.note(m.reference) for m, side in zip((old, new), seen, strict=True)]
    if unseen:
        return ~(by_old | by_new), cautions
    for model, alone in ((old, by_old & ~by_new), (new, by_new & ~by_old)):
        if alone.any():
            what = counted(int(alone.sum()), "sentence")
            cautions.append(f"left out: {what} that {model.reference} alone was trained on")
    if (by_old & by_new).any():
        cautions.append(
            "on sentences it was trained on, a model is better than on others: compare on others"
        )
    return by_old == by_new, cautions


def _cautions_of(checks: Sequence[Check]) -> list[str]:
    unmeasured = [check.what for check in checks if check.passed is None]
    unsettled = [check.what for check in checks if check.settled is False]
    notes = []
    if unmeasured:
        notes.append(f"nothing to measure: {', '.join(unmeasured)}")
    if unsettled:
        notes.append(f"limits inside the interval, so chance may decide: {', '.join(unsettled)}")
    return notes


def _find_flips(
    old: Predictions, new: Predictions, ids: Sequence[str], texts: Sequence[str]
) -> tuple[Flip, ...]:
    topics = np.array(old.topics)

    def names(row: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(topics[row].tolist())

    return tuple(
        Flip(
            ids[i],
            str(old.documents[i]),
            texts[i],
            names(old.Y[i] > 0),
            names(new.tags[i] > old.tags[i]),
            names(old.tags[i] > new.tags[i]),
        )
        for i in np.flatnonzero((old.tags != new.tags).any(axis=1)).tolist()
    )
