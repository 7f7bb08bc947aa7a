from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topicml.errors import LabelError
from topicml.labels.annotations import AnnotationStore
from topicml.labels.migration import history, migrate
from topicml.labels.migration.migrate import apply_migration, plan_migration, undo_migration
from topicml.labels.records import Annotation
from topicml.labels.store import check_topics, read_as_written
from topicml.taxonomy import load_taxonomy

TOPICS = ("alpha", "beta", "gamma", "delta")
SPLIT = '[[split]]\nfrom = "{}"\n' + "".join(
    f'[[split.to]]\nid = "{part}"\nname = "N"\ndefinition = "n"\n' for part in ("one", "two")
)
RENAME = '[[rename]]\nfrom = "{}"\nto = "{}"\n'
EVERYTHING = (
    RENAME.format("alpha", "omega")
    + '[[merge]]\nfrom = ["beta", "gamma"]\nto = "gamma"\n'
    + SPLIT.format("delta")
)


def make(folder: Path, labels: list[set[str]] | None = None, cases: str = "") -> Path:
    """Write a folder of labels, and return its taxonomy."""
    topics = "".join(
        f'[[topics]]\nid = "{topic}"\nname = "{topic}"\ndefinition = "d"\n\n' for topic in TOPICS
    )
    taxonomy = folder / "taxonomy.toml"
    taxonomy.write_text(f'version = "1.0" # the first\n\n{topics}{cases}', encoding="utf-8")
    codebook = load_taxonomy(taxonomy).to_markdown()
    (folder / "CODEBOOK.md").write_text(codebook, encoding="utf-8")
    given = [{topic} for topic in TOPICS] if labels is None else labels
    for name in ("first", "second"):
        lines = [
            json.dumps({"id": f"{name}-{n}", "text": f"T {n}", "topics": sorted(some)}) + "\n"
            for n, some in enumerate(given)
        ]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return taxonomy


def write(folder: Path, steps: str, version: str = "2.0") -> Path:
    path = folder / f"to-{version}.toml"
    path.write_text(f'to = "{version}"\n{steps}', encoding="utf-8")
    return path


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and not path.name.startswith("to-")
        if ".part" not in path.parent.suffix
    }


def topics_of(path: Path) -> list[tuple[str, ...]]:
    return [label.topics for label in read_as_written(path)]


label_sets = st.lists(st.sets(st.sampled_from(TOPICS)), max_size=6)
step_texts = st.permutations(TOPICS).flatmap(
    lambda topics: st.sampled_from(
        [
            RENAME.format(topics[0], "omega"),
            RENAME.format(topics[0], "omega") + RENAME.format(topics[1], "psi"),
            f'[[merge]]\nfrom = ["{topics[0]}", "{topics[1]}"]\nto = "{topics[1]}"\n',
            f'[[merge]]\nfrom = ["{topics[0]}", "{topics[1]}", "{topics[2]}"]\nto = "omega"\n'
            'name = "N"\ndefinition = "n"\n',
            SPLIT.format(topics[0]),
            f'[[retire]]\nfrom = "{topics[0]}"\n' + SPLIT.format(topics[1]),
        ]
    )
)
case_texts = st.lists(
    st.permutations(TOPICS).flatmap(
        lambda topics: st.tuples(st.integers(0, 3), st.integers(0, 3)).map(
            lambda cut: (topics[: cut[0]], topics[3 - cut[1] :][: 4 - cut[0]])
        )
    ),
    max_size=3,
).map(
    lambda cases: "".join(
        f'# case {n}\n[[cases]]\ntext = "Case {n}."\ntopics = {json.dumps(topics)}\n'
        f"near = {json.dumps([one for one in near if one not in topics])}\n\n"
        for n, (topics, near) in enumerate(cases)
    )
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label_sets, step_texts, case_texts)
def test_undo_gives_back_every_byte(tmp_path_factory, labels, steps, cases):
    folder = tmp_path_factory.mktemp("labels")
    taxonomy = make(folder, labels, cases)
    before = contents(folder)
    path = write(folder, steps)
    planned = plan_migration(path, taxonomy, files(folder))
    assert contents(folder) == before
    done = apply_migration(path, taxonomy, files(folder))
    assert done is not None
    assert done.contents == planned.contents
    scheme = load_taxonomy(taxonomy)
    assert scheme.version == "2.0"
    assert (folder / "CODEBOOK.md").read_text("utf-8") == scheme.to_markdown()
    for file in files(folder):
        check_topics(read_as_written(file), scheme, file)
    undo_migration(taxonomy, files(folder))
    assert contents(folder) == before


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label_sets, case_texts, st.sampled_from(TOPICS))
def test_a_rename_and_one_back_change_the_version_alone(tmp_path_factory, labels, cases, topic):
    folder = tmp_path_factory.mktemp("labels")
    taxonomy = make(folder, labels, cases)
    AnnotationStore(folder / "annotations").append([Annotation("first-0", (topic,), "kim")])
    before = contents(folder)
    apply_migration(write(folder, RENAME.format(topic, "zz")), taxonomy, files(folder))
    back = write(folder, RENAME.format("zz", topic), "2.1")
    apply_migration(back, taxonomy, files(folder))
    after = {k: v for k, v in contents(folder).items() if not k.startswith(history.FOLDER)}
    labels_back = {k: v for k, v in after.items() if k.endswith(".jsonl")}
    assert labels_back.items() <= before.items()
    assert after["taxonomy.toml"].replace(b'"2.1"', b'"1.0"') == before["taxonomy.toml"]
    assert after.keys() == before.keys()
    assert AnnotationStore(folder / "annotations").read()[0].topics == (topic,)


@pytest.mark.parametrize("undoing", [False, True])
def test_a_kill_leaves_all_or_nothing_or_what_the_next_ends(tmp_path, undoing):
    """A process kills itself before each of its writes and renames in turn."""
    states = [*clean_states(tmp_path)]
    old, new = reversed(states) if undoing else states
    ended = 0
    for step in count():
        folder = tmp_path / str(step)
        folder.mkdir()
        taxonomy, path = make(folder), write(folder, EVERYTHING)
        labels = files(folder)
        if undoing:
            apply_migration(path, taxonomy, labels)
        if not killed_at(step, undoing, path, taxonomy, labels):
            break
        if history.unfinished(folder):
            with pytest.raises(LabelError, match="was cut off"):
                plan_migration(path, taxonomy, labels)
            if undoing:
                undo_migration(taxonomy, labels)
            else:
                assert apply_migration(path, taxonomy, labels) is None
            assert contents(folder) == new
            ended += 1
        else:
            assert contents(folder) in (old, new)
            if not undoing:  # what it left of its beginning is in nobody's way
                apply_migration(path, taxonomy, labels)
                assert contents(folder) == new
    assert contents(folder) == new
    assert ended > 4


def clean_states(folder: Path) -> Iterator[dict[str, bytes]]:
    taxonomy, path = make(folder), write(folder, EVERYTHING)
    yield contents(folder)
    apply_migration(path, taxonomy, files(folder))
    yield contents(folder)


def killed_at(step: int, undoing: bool, path: Path, taxonomy: Path, labels: list[Path]) -> bool:
    child = os.fork()
    if not child:
        left = iter(range(step, -1, -1))

        def dying(function):
            def call(*arguments, **named):
                if next(left, -1) == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **named)

            return call

        for name in ("_write", "write_text", "remove_folder"):
            setattr(migrate, name, dying(getattr(migrate, name)))
        Path.rename = dying(Path.rename)
        try:
            if undoing:
                undo_migration(taxonomy, labels)
            else:
                apply_migration(path, taxonomy, labels)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_an_undo_that_was_cut_off_is_ended_before_the_migration_is_applied_again(tmp_path):
    taxonomy, path = make(tmp_path), write(tmp_path, EVERYTHING)
    apply_migration(path, taxonomy, files(tmp_path))
    new = contents(tmp_path)
    (tmp_path / history.FOLDER / "2.0").rename(tmp_path / history.FOLDER / "2.0.undoing")
    assert apply_migration(path, taxonomy, files(tmp_path)) is not None
    assert contents(tmp_path) == new


def test_what_was_added_since_stays_when_it_is_undone(tmp_path):
    taxonomy = make(tmp_path)
    before = contents(tmp_path)
    apply_migration(write(tmp_path, EVERYTHING), taxonomy, files(tmp_path))
    added = b'{"id": "late", "text": "Late.", "topics": ["gamma"]}\n'
    first, second = files(tmp_path)
    first.write_bytes(first.read_bytes() + added)
    second.write_bytes(added + second.read_bytes()[: -len(added)])
    with pytest.raises(LabelError, match="has been changed since"):
        undo_migration(taxonomy, files(tmp_path))
    second.write_bytes(before["second.jsonl"])
    undo_migration(taxonomy, files(tmp_path))
    assert contents(tmp_path) == {**before, "first.jsonl": before["first.jsonl"] + added}


def test_lines_that_the_migration_left_alone_may_change(tmp_path):
    taxonomy = make(tmp_path)
    before = contents(tmp_path)
    apply_migration(write(tmp_path, RENAME.format("alpha", "omega")), taxonomy, files(tmp_path))
    first = files(tmp_path)[0]
    first.write_bytes(first.read_bytes().replace(b'["beta"]', b'["gamma"]'))
    undo_migration(taxonomy, files(tmp_path))
    changed = before["first.jsonl"].replace(b'["beta"]', b'["gamma"]')
    assert contents(tmp_path) == {**before, "first.jsonl": changed}


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("first.jsonl", b'["omega"]', b'["gamma"]', "first.jsonl: what the migration changed"),
        ("taxonomy.toml", b"# the first", b"# THE FIRST", "taxonomy.toml: what the migration"),
        ("first.jsonl", b"\n", b'\n{"id": "n", "text": "N", "topics": ["omega"]}\n', "changed"),
    ],
)
def test_undo_is_refused_where_lines_have_changed(tmp_path, name, old, new, what):
    taxonomy = make(tmp_path)
    apply_migration(write(tmp_path, EVERYTHING), taxonomy, files(tmp_path))
    path = tmp_path / name
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    before = contents(tmp_path)
    with pytest.raises(LabelError, match=what):
        undo_migration(taxonomy, files(tmp_path))
    assert contents(tmp_path) == before


def test_undo_is_refused_where_new_topics_are_in_use(tmp_path):
    taxonomy = make(tmp_path)
    apply_migration(write(tmp_path, EVERYTHING), taxonomy, files(tmp_path))
    late = tmp_path / "third.jsonl"
    late.write_text('{"id": "late", "text": "Late.", "topics": ["omega"]}\n', encoding="utf-8")
    with pytest.raises(LabelError, match=r"third\.jsonl:1: 'omega' was given since"):
        undo_migration(taxonomy, files(tmp_path))
    late.unlink()
    store = AnnotationStore(tmp_path / "annotations")
    store.append([Annotation("first-0", ("gamma",), "kim", scheme="2.0")])
    with pytest.raises(LabelError, match=r"'first-0' was annotated by version 2\.0"):
        undo_migration(taxonomy, files(tmp_path))


def test_with_nothing_applied_nothing_is_undone(tmp_path):
    with pytest.raises(LabelError, match="no migration to undo"):
        undo_migration(make(tmp_path), files(tmp_path))
    assert not (tmp_path / history.FOLDER).exists()


def test_each_sentence_of_a_merge_has_the_topic_once_and_splits_are_queued(tmp_path):
    taxonomy = make(tmp_path, [{"beta", "gamma"}, {"alpha", "delta"}, set()])
    AnnotationStore(tmp_path / "annotations").append([Annotation("first-0", ("beta",), "kim")])
    page = tmp_path / "CODEBOOK.md"
    page.write_text("my own page", encoding="utf-8")
    plan = apply_migration(write(tmp_path, EVERYTHING), taxonomy, files(tmp_path))
    assert topics_of(tmp_path / "first.jsonl") == [("gamma",), ("omega",), ()]
    statuses = [label.status for label in read_as_written(tmp_path / "first.jsonl")]
    assert statuses == ["gold", "skipped", "gold"]
    assert [one.id for one in history.read_queue(tmp_path)] == ["first-1", "second-1"]
    assert (plan.annotations, plan.codebook, page.read_text("utf-8")) == (1, False, "my own page")


def test_broken_labels_are_told_and_nothing_is_written(tmp_path):
    taxonomy = make(tmp_path)
    (tmp_path / "second.jsonl").write_text('{"id": "1", "text": "T", "topics": ["alfa"]}\n')
    before = contents(tmp_path)
    with pytest.raises(LabelError, match=r"second\.jsonl:1: unknown topic 'alfa'"):
        apply_migration(write(tmp_path, EVERYTHING), taxonomy, files(tmp_path))
    assert contents(tmp_path) == before


def test_a_version_that_was_lowered_by_hand_is_told(tmp_path):
    taxonomy = make(tmp_path)
    apply_migration(write(tmp_path, RENAME.format("alpha", "omega")), taxonomy, files(tmp_path))
    taxonomy.write_text(taxonomy.read_text().replace('"2.0"', '"1.5"'))
    with pytest.raises(LabelError, match=r"a migration to '2\.0' has been applied"):
        plan_migration(write(tmp_path, RENAME.format("beta", "b"), "1.8"), taxonomy, [])
