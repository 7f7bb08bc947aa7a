from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topicml.errors import LabelError
from topicml.labels.annotations import FILE, AnnotationStore
from topicml.labels.records import Annotation, read_annotations

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
annotations = st.builds(
    Annotation,
    id=characters.filter(bool),
    topics=st.sets(st.sampled_from("abc")).map(sorted).map(tuple),
    annotator=st.sampled_from(["kim", "lee", "\u2028"]),
    time=st.none() | st.datetimes(timezones=st.just(UTC)),
    scheme=characters,
    origin=characters,
    sha1=characters,
    skipped=st.booleans(),
    adjudicated=st.booleans(),
    note=characters,
    reason=characters,
).map(lambda one: replace(one, topics=()) if one.skipped else one)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(annotations, max_size=3)), max_size=6))
def test_any_interleaving_of_appends_reads_back_in_order(tmp_path_factory, appends):
    folder = tmp_path_factory.mktemp("store")
    stores = [AnnotationStore(folder) for _ in range(3)]
    written = [one for number, some in appends for one in stores[number].append(some)]
    assert stores[0].read() == written
    given_ = [one for _, some in appends for one in some]
    assert [replace(one, time=None) for one in written] == [replace(o, time=None) for o in given_]
    for was, one in zip(given_, written, strict=True):
        assert one.time is not None
        assert was.time is None or timedelta(0) <= was.time - one.time < timedelta(milliseconds=1)


def test_a_line_says_who_when_by_what_from_where_of_what_and_which(tmp_path):
    AnnotationStore(tmp_path).append(
        [
            Annotation(
                *("s1", ("cooking",), "kim", NOON, "2.0", "review"), sha1="ab" * 20, note="sure"
            ),
            Annotation("s2", (), "kim", NOON),
            Annotation("s3", (), "kim", NOON, skipped=True, note="damaged"),
        ]
    )
    assert (tmp_path / FILE).read_text(encoding="utf-8").splitlines() == [
        '{"annotator": "kim", "id": "s1", "note": "sure", "origin": "review", "scheme": "2.0", '
        f'"sha1": "{"ab" * 20}", "time": "2026-01-31T12:00:00.000Z", "topics": ["cooking"]}}',
        '{"annotator": "kim", "id": "s2", "time": "2026-01-31T12:00:00.000Z", "topics": []}',
        '{"annotator": "kim", "id": "s3", "note": "damaged", "skipped": true, '
        '"time": "2026-01-31T12:00:00.000Z"}',
    ]


def test_topics_are_written_in_order_each_once(tmp_path):
    (one,) = AnnotationStore(tmp_path).append([Annotation("s1", ("b", "a", "b"), "kim")])
    assert one.topics == ("a", "b")
    assert '"topics": ["a", "b"]' in (tmp_path / FILE).read_text()


def test_threads_of_one_process_take_turns_too(tmp_path):
    def write(name):
        for number in range(10):
            AnnotationStore(tmp_path).append([Annotation(f"{name}-{number}", (), name)])

    threads = [Thread(target=write, args=(name,)) for name in ("kim", "lee", "sam")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in AnnotationStore(tmp_path).read()}) == 30


def test_an_annotation_without_a_time_gets_that_of_now_in_utc(tmp_path):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    (one,) = AnnotationStore(tmp_path).append([Annotation("s1", (), "kim")])
    assert before <= one.time <= datetime.now(UTC)
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    (other,) = AnnotationStore(tmp_path).append([Annotation("s2", (), "kim", elsewhere)])
    assert other.time == NOON
    assert "12:00:00.000Z" in (tmp_path / FILE).read_text()


def test_files_of_before_are_read_as_annotations_without_time():
    folder = ROOT / "data/labels/annotations"
    found = AnnotationStore(folder).read()
    rows = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [(one.id, list(one.topics)) for one in found] == [(r["id"], r["topics"]) for r in rows]
    assert [one.annotator for one in found] == [r.get("annotator", "") for r in rows]
    assert [one.adjudicated for one in found] == ["pass_1" in r for r in rows]
    assert all(one.reason for one in found if one.adjudicated)
    assert not any(one.time or one.skipped for one in found)


def test_nothing_is_added_where_one_has_no_annotator_or_could_not_be_read_back(tmp_path):
    store = AnnotationStore(tmp_path)
    good = Annotation("s1", (), "kim")
    bad = [
        Annotation("s2", ()),
        Annotation("", (), "kim"),
        Annotation("s2", (), "kim", note="\ud800"),
    ]
    for one in bad:
        with pytest.raises(LabelError) as caught:
            store.append([good, one])
        assert caught.value.where == "annotation to add"
        assert caught.value.hint
    assert store.append([]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"id": "1"}, "'topics' must be a list"),
        ({"id": "1", "topics": ["a"], "skipped": True}, "'topics' must be absent where 'skipped'"),
        ({"id": "1", "skipped": "yes"}, "'skipped' must be true or false"),
        ({"id": "1", "topics": [], "time": "noon"}, "'time' must be a time with its offset"),
        ({"id": "1", "topics": [], "time": 5}, "'time' must be a time with its offset"),
        ({"id": "1", "topics": [], "time": "2026-01-31T12:00:00"}, "'time' must be a time with"),
        ({"id": "1", "topics": [], "note": 5}, "'note' must be a string"),
    ],
)
def test_what_is_no_annotation_is_refused_with_file_and_line(tmp_path, fields, what):
    path = tmp_path / "pass.jsonl"
    path.write_text(json.dumps({"id": "0", "topics": []}) + "\n" + json.dumps(fields) + "\n")
    for read in (AnnotationStore(tmp_path).read, lambda: read_annotations(path)):
        with pytest.raises(LabelError) as caught:
            read()
        assert what in caught.value.what
        assert caught.value.where == f"{path}:2"


def test_a_torn_last_line_is_not_read_and_one_further_up_is_refused(tmp_path):
    store = AnnotationStore(tmp_path)
    written = store.append([Annotation("s1", (), "kim")])
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"annotator": "ki')
    assert store.read() == written
    written += store.append([Annotation("s2", (), "kim")])
    assert store.read() == written
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"annotator": "ki\n')
    with pytest.raises(LabelError) as caught:
        store.read()
    assert caught.value.where == f"{tmp_path / FILE}:3"


def test_a_file_read_while_a_writer_mends_it_is_read_again(tmp_path, monkeypatch):
    store = AnnotationStore(tmp_path)
    written = store.append([Annotation("s1", (), "kim")])
    contents = [b'{"annotator": "ki" "kim"}\n', (tmp_path / FILE).read_bytes()]
    monkeypatch.setattr("topicml.labels.annotations.read_content", lambda _: contents.pop(0))
    assert store.read() == written


def test_lines_of_two_branches_are_joined_by_git(tmp_path):
    def git(*arguments):
        who = ("-c", "user.name=kim", "-c", "user.email=kim@example.org")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    store = AnnotationStore(tmp_path / "data/labels/annotations")

    def add(name):
        (one,) = store.append([Annotation("s1", (), name)])
        git("add", ".gitattributes", f"data/labels/annotations/{FILE}")
        git("commit", "-qm", name)
        return one

    base = add("kim")
    git("switch", "-qc", "other")
    theirs = add("lee")
    git("switch", "-q", "main")
    ours = add("sam")
    git("merge", "-q", "other")
    assert store.read()[0] == base
    assert sorted(store.read(), key=lambda one: one.annotator) == [base, theirs, ours]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LabelError, match="no such folder") as caught:
        AnnotationStore(tmp_path / "none").read()
    assert caught.value.where == str(tmp_path / "none")


def test_gold_is_what_is_decided(tmp_path):
    store = AnnotationStore(tmp_path)
    store.append([Annotation("s1", (), "kim"), Annotation("s2", (), "kim", skipped=True)])
    store.append([Annotation("s3", ("a",), "kim"), Annotation("s3", ("b",), "lee")])
    assert [(one.id, one.rule, one.topics) for one in store.gold()] == [("s1", "single", ())]


class Writer(Thread):
    """Runs writers one after the other until all of a name's annotations are acknowledged."""

    def __init__(self, folder: Path, name: str, count: int, kills: int, seed: int) -> None:
        super().__init__()
        self.folder, self.annotator, self.count, self.kills = folder, name, count, kills
        self.random = random.Random(seed)  # noqa: S311
        self.acknowledged: list[int] = []
        self.killed = Counter[str]()

    def run(self) -> None:
        while len(self.acknowledged) < self.count:
            self.write()

    def write(self) -> None:
        first = len(self.acknowledged)
        after = first + self.random.randrange(self.count // max(self.kills, 1))
        kill = self.killed.total() < self.kills
        torn = kill and not self.killed.total() % 2
        script = Path(__file__).with_name("annotation_writer.py")
        arguments = [self.folder, self.annotator, first, self.count, after if torn else ""]
        command = [sys.executable, script, *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                self.acknowledged.append(int(line))
                if kill and not torn and int(line) >= after:
                    process.kill()
                    kill = False
                    self.killed["between"] += 1
        if torn and process.returncode == -9:
            self.killed["torn"] += 1


def check_writers(folder: Path, count: int, kills: int) -> None:
    writers = [Writer(folder, f"w{n}", count, kills if n == 0 else 0, seed=n) for n in range(4)]
    for writer in writers:
        writer.start()
    store = AnnotationStore(folder)
    seen = 0
    while any(writer.is_alive() for writer in writers):
        if folder.exists():
            found = len(store.read())  # never a torn line
            assert found >= seen
            seen = found
        writers[0].join(0.05)
    for writer in writers:
        writer.join()
        assert writer.acknowledged == list(range(count))
    assert writers[0].killed["torn"] >= kills // 4
    assert (folder / FILE).read_bytes().endswith(b"\n")
    for line in (folder / FILE).read_bytes().splitlines():
        json.loads(line)
    places = Counter(one.id for one in store.read())
    assert places.keys() == {f"w{n}-{number}" for n in range(4) for number in range(count)}
    # a line may be there twice where a writer was killed between disk and acknowledgement
    assert places.total() <= 4 * count + writers[0].killed["between"]
    torn = (folder / f"{FILE}.torn").read_bytes().splitlines()
    assert len(torn) == writers[0].killed["torn"]
    assert all(one.startswith(b'{"annotator": "w0"') for one in torn)


def test_four_writers_one_of_them_killed_again_and_again_lose_nothing(tmp_path):
    check_writers(tmp_path / "annotations", count=12, kills=4)


@pytest.mark.soak
def test_four_writers_of_a_thousand_annotations_each_lose_nothing(tmp_path):
    check_writers(tmp_path / "annotations", count=1000, kills=100)
