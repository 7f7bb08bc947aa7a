from __future__ import annotations

from pathlib import Path

import pytest

from topicml.errors import LabelError
from topicml.labels.adjudication import open_cases
from topicml.labels.annotations import AnnotationStore
from topicml.labels.gold import decide
from topicml.labels.migration import history
from topicml.labels.records import Annotation, LabelRecord
from topicml.labels.references import ReferenceCount
from topicml.labels.store import LabelFile

FIRST = '[[rename]]\nfrom = "a"\nto = "x"\n[[split]]\nfrom = "d"\n' + "".join(
    f'[[split.to]]\nid = "{part}"\nname = "N"\ndefinition = "n"\n' for part in ("d1", "d2")
)
SECOND = '[[merge]]\nfrom = ["x", "b"]\nto = "b"\n[[retire]]\nfrom = "d2"\n'


@pytest.fixture
def store(tmp_path):
    for version, steps in (("2.0", FIRST), ("10.0", SECOND)):
        folder = tmp_path / history.FOLDER / version
        folder.mkdir(parents=True)
        (folder / history.STEPS).write_text(f'to = "{version}"\n{steps}', encoding="utf-8")
    queue = tmp_path / history.FOLDER / "2.0" / history.QUEUE
    queue.write_text('{"id": "q", "scheme": "2.0", "split": ["d"], "topics": ["x"]}\n')
    return AnnotationStore(tmp_path / "annotations")


def decided(store):
    return {one.id: (one.rule, one.topics) for one in decide(store.read())}


def test_annotations_are_read_through_the_migrations_behind_their_version(store):
    topics = ("a", "b", "d2", "x")
    store.append(
        [
            Annotation("none", topics, "kim"),
            Annotation("old", topics, "kim", scheme="1.0"),
            Annotation("other", topics, "kim", scheme="before"),
            Annotation("between", topics, "kim", scheme="2.0"),
            Annotation("handmade", topics, "kim", scheme="2.5"),
            Annotation("new", topics, "kim", scheme="10.0"),
        ]
    )
    written = store.path.read_bytes()
    found = {one.id: one.topics for one in store.read()}
    assert found == {
        **dict.fromkeys(("none", "old", "other"), ("b",)),
        **dict.fromkeys(("between", "handmade"), ("a", "b")),
        "new": topics,
    }
    assert store.path.read_bytes() == written
    assert [one.topics for one in store.read_as_written()] == [topics] * 6


def test_what_was_said_before_a_split_decides_nothing(store):
    """Not even what did not give the topic: the disagreement on it is no agreement now."""
    store.append(
        [
            Annotation("s", ("d",), "kim", scheme="1.0"),
            Annotation("s", (), "lee", scheme="1.0"),
            Annotation("t", ("a", "d"), "kim", scheme="1.0", adjudicated=True),
            Annotation("t", ("a",), "lee", scheme="1.0"),
            Annotation("u", ("a",), "lee", scheme="1.0"),
        ]
    )
    assert decided(store) == {"s": ("split", None), "t": ("split", None), "u": ("single", ("b",))}
    store.append([Annotation("s", ("d1",), "lee", scheme="10.0")])
    store.append([Annotation("t", (), "mo", scheme="10.0", adjudicated=True)])
    assert decided(store) == {
        "s": ("single", ("d1",)),
        "t": ("adjudicated", ()),
        "u": ("single", ("b",)),
    }
    store.append([Annotation("t", (), "mo", scheme="10.0", adjudicated=True, skipped=True)])
    assert decided(store)["t"] == ("split", None)


def test_a_queue_is_read_through_the_migrations_after_it(store):
    (one,) = history.read_queue(store.folder.parent)
    assert (one.id, one.topics, one.split) == ("q", ("b",), ("d",))


def test_a_queued_label_is_open_until_somebody_decides_or_its_file_has_it(store):
    def opened(status, decisions=()):
        record = LabelRecord("q", "q", "T", (), status=status)
        file = LabelFile(Path("l.jsonl"), (record,), (), ReferenceCount())
        return open_cases(decisions, [file], history.read_queue(store.folder.parent))

    (case,), without_text = opened("skipped")
    assert (case.text, case.suggestion, without_text) == ("T", ("b",), [])
    assert opened("single") == ([], [])
    store.append([Annotation("q", ("d1",), "kim", scheme="10.0")])
    assert opened("skipped", decide(store.read())) == ([], [])
    assert open_cases([], [], history.read_queue(store.folder.parent)) == ([], ["q"])


def test_nothing_is_read_half_way(store):
    folder = store.folder.parent
    (folder / history.FOLDER / "10.0").rename(folder / history.FOLDER / "10.0.applying")
    store.append([Annotation("s", ("a",), "kim")])
    with pytest.raises(LabelError, match="is under way, or was cut off"):
        store.read()
