"""What label files at hand tell of models: the sentences they have seen, and edits of labels."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archive_samples import reference_fields
from conftest import Tiny, tiny_records, write_jsonl
from damage import rewrite_manifest

from topicml.errors import LabelError
from topicml.labels.texts import sha1_of, write_texts
from topicml.models.folder import Model, open_model, sha256_file
from topicml.models.provenance import LabelEdits, LabelFiles, find_seen, label_edits

KNOWN = tiny_records()[0]["text"]
NEAR = KNOWN.replace("Monday", "Friday")
NEW = "The parliament of the northern country adjourned."


def trained_on(tiny: Tiny, folder: Path, files: dict[str, str], **labels: Any) -> Model:
    """Return the tiny model with other label files in its manifest."""
    copy = Path(shutil.copytree(tiny.folder, folder))
    stated = open_model(copy).manifest["labels"]
    rewrite_manifest(copy, labels={**stated, "files": files, **labels})
    return open_model(copy)


def test_sentences_are_told_by_text_and_by_near_text(tiny: Tiny) -> None:
    texts = [KNOWN, f"  {KNOWN.upper()}", NEAR, NEW]
    seen = find_seen(open_model(tiny.folder), texts, LabelFiles([tiny.labels]))
    assert seen.same.tolist() == [True, True, False, False]
    assert seen.near.tolist() == [False, False, True, False]
    assert seen.is_known
    assert seen.note("w@1").endswith(
        "w@1 was trained on 2 of these 4 sentences, and on near copies of 1 more"
    )


def test_another_state_of_a_file_is_used_and_said(tiny: Tiny, tmp_path: Path) -> None:
    edited = write_jsonl(tmp_path / "labels.jsonl", tiny_records()[1:])
    seen = find_seen(open_model(tiny.folder), [KNOWN], LabelFiles([edited]))
    assert not seen.same.any()
    assert (seen.changed, seen.missing, seen.is_known) == (("labels.jsonl",), (), False)
    assert "here in another state: labels.jsonl" in seen.note("m")
    both = find_seen(open_model(tiny.folder), [KNOWN], LabelFiles([edited, tiny.labels]))
    assert both.same.all()
    assert both.is_known


def test_files_that_are_not_here_are_said(tiny: Tiny) -> None:
    seen = find_seen(open_model(tiny.folder), [KNOWN], LabelFiles([]))
    assert (seen.missing, seen.same.tolist()) == (("labels.jsonl",), [False])
    assert "not here, so it may be more: labels.jsonl" in seen.note("m")


def test_label_file_that_is_not_there_is_an_error(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="No such file"):
        find_seen(open_model(tiny.folder), [KNOWN], LabelFiles([tmp_path / "no.jsonl"]))


@pytest.mark.parametrize(("with_text", "partial"), [(0, ()), (1, ("real.jsonl",)), (2, ())])
def test_references_count_by_the_texts_that_training_had(
    tiny: Tiny, tmp_path: Path, with_text: int, partial: tuple[str, ...]
) -> None:
    path = write_jsonl(
        tmp_path / "real.jsonl", [reference_fields("a", KNOWN), reference_fields("b", NEW)]
    )
    write_texts(path, {sha1_of(text): text for text in (KNOWN, NEW)})
    counts = {"real.jsonl": {"labels": 2, "with_text": with_text}}
    files = {"real.jsonl": sha256_file(path)}
    model = trained_on(tiny, tmp_path / "m", files, by_reference=counts)
    seen = find_seen(model, [KNOWN], LabelFiles([path]))
    assert seen.partial == partial
    assert seen.same.tolist() == [with_text > 0]


def test_edits_are_told_label_by_label_where_both_states_are_here(
    tiny: Tiny, tmp_path: Path
) -> None:
    rows = tiny_records()
    rows[1] = {**rows[1], "topics": ["sailing"]}
    rows = [*rows[1:], {**rows[0], "id": "new"}]
    edited = write_jsonl(tmp_path / "labels.jsonl", rows)
    more = write_jsonl(tmp_path / "more.jsonl", [{**rows[0], "id": "x"}])
    files = {path.name: sha256_file(path) for path in (edited, more)}
    old, new = open_model(tiny.folder), trained_on(tiny, tmp_path / "m", files)
    at_hand = LabelFiles([edited, more, tiny.labels])
    assert label_edits(old, new, at_hand) == (
        LabelEdits("labels.jsonl", "changed", ("new",), ("monday-0",), ("monday-1",)),
        LabelEdits("more.jsonl", "added", ("x",), (), ()),
    )
    assert label_edits(new, old, LabelFiles([edited])) == (
        LabelEdits("labels.jsonl", "changed"),
        LabelEdits("more.jsonl", "removed"),
    )
    assert label_edits(old, old, LabelFiles([])) == (
        LabelEdits("labels.jsonl", "same", (), (), ()),
    )


def test_nothing_to_tell_of_no_sentence(tiny: Tiny) -> None:
    seen = find_seen(open_model(tiny.folder), [], LabelFiles([tiny.labels]))
    assert np.array_equal(seen.same, np.zeros(0, dtype=bool))
