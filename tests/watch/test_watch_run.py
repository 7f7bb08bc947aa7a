from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest
from conftest import write_jsonl
from watching import Watching

import topicml.watch.journal as journal
import topicml.watch.pages as pages
import topicml.watch.tagging as tagging
from topicml.errors import InputError, OutputError, TopicmlError
from topicml.io.records import Fields, ReadOptions

BREAD = "The bread rises under a warm cloth. She kneads the dough before the oven is hot."
BOAT = "The boat left the harbour with a fair wind."
LONG = " ".join(f"The wind turned {n} times before they hoisted the sails." for n in range(12))


@pytest.fixture
def watching(tiny, tmp_path):
    return Watching(tiny, tmp_path)


def test_what_is_there_is_tagged_once_and_what_arrives_then(watching):
    bread = watching.write("bread.txt", BREAD)
    assert watching.run() == [bread]
    assert watching.run() == []
    boat = watching.write("below/boat.txt", BOAT)
    assert watching.run() == [boat]
    assert watching.written() == [(bread, 1, None), (boat, 1, None)]
    record = watching.records()[0]
    assert [topic["topic"] for topic in record["topics"]] == ["baking"]
    assert record["arrived"].keys() == {"from", "number", "version", "sha256", "at"}
    assert watching.records()[0]["arrived"]["from"] == bread


def test_a_file_that_changes_is_tagged_again_as_another_version(watching):
    path = watching.write("a.txt", BREAD)
    watching.run()
    watching.write("a.txt", BOAT)
    assert watching.run() == [path]
    os.utime(path, (1, 1))  # touched, not changed
    assert watching.run() == []
    watching.write("a.txt", BREAD)  # as it was at first
    assert watching.run() == [path]
    assert watching.written() == [(path, 1, None), (path, 2, None), (path, 3, path)]


def test_near_copies_are_marked_also_after_a_restart(watching):
    first = watching.write("a.txt", LONG)
    watching.run()
    copy = watching.write("b.txt", LONG.replace("turned 3 times", "turned thrice"))
    again = watching.write("c.txt", LONG.upper())
    assert watching.run() == [copy, again]
    assert watching.written()[1:] == [(copy, 1, first), (again, 1, first)]


def test_files_that_are_not_whole_are_left(watching):
    watching.write("a.txt.part", BREAD)
    watching.write("b.tmp", BREAD)
    watching.write("c.txt.crdownload", BREAD)
    watching.write(".d.txt", BREAD)
    assert watching.run() == []
    (watching.inbox / "a.txt.part").rename(watching.inbox / "a.txt")
    assert watching.run() == [str(watching.inbox / "a.txt")]


def test_a_file_that_is_written_to_while_it_is_read_is_read_again(watching, monkeypatch):
    path = watching.write("a.txt", BREAD)
    reads = []

    def tag(tagger, items, seconds):
        found = tag_items(tagger, items, seconds)
        reads.append(len(found))
        if len(reads) == 1:
            with Path(path).open("a") as file:
                file.write(f" {BOAT}")
        return found

    tag_items = tagging.tag_items
    monkeypatch.setattr(tagging, "tag_items", tag)
    assert watching.run() == [path]
    assert reads == [1, 1]
    (record,) = watching.records()
    assert {t["topic"] for t in record["topics"]} == {"baking", "sailing"}
    assert record["arrived"]["version"] == 1


def test_rejects_are_told_once_and_tried_again_when_they_change(watching):
    path = watching.write("a.txt", "")
    assert watching.run() == []
    assert watching.told == [f"error: {path}:1 (byte 0): the text is empty"]
    watching.run()
    assert watching.told == []
    rejects = Path(f"{watching.output}.rejects.jsonl").read_text().splitlines()
    assert len(rejects) == 1
    watching.write("a.txt", BREAD)
    assert watching.run() == [path]


def test_a_bad_record_costs_no_other(watching):
    watching.write(
        "a.jsonl", f'{{"id": "x", "text": "{BREAD}"}}\n{{broken\n{{"id": "y", "text": "{BOAT}"}}\n'
    )
    assert watching.run() == ["x", "y"]
    assert len(watching.told) == 1
    assert watching.run() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_tried_again(watching):
    path = watching.write("a.txt", BREAD)
    Path(path).chmod(0)
    assert watching.run() == []
    Path(path).chmod(stat.S_IRUSR)
    assert watching.run() == [path]


def test_what_cannot_be_read_for_now_is_tried_again_at_the_next_start(watching, monkeypatch):
    path = watching.write("a.txt", BREAD)

    def failing(_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(tagging, "sha256_of", failing)
        assert watching.run() == []
    assert watching.told == [f"error: {path}: Input/output error"]
    assert watching.run() == [path]


def test_the_output_is_not_read_where_it_lies_in_the_folder(watching):
    path = watching.write("a.txt", BREAD)
    inside = watching.inbox / "tags.jsonl"
    assert watching.run(output=inside) == [path]
    assert watching.run(output=inside) == []
    assert not [line for line in watching.told if line.startswith("error")]
    (watching.inbox / "link.jsonl").symlink_to(inside)
    assert watching.run(output=inside) == []
    assert not [line for line in watching.told if line.startswith("error")]


def test_links_that_leave_the_folder_are_followed_only_if_asked(watching, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text(BOAT)
    (watching.inbox / "link.txt").symlink_to(other / "b.txt")
    (watching.inbox / "folder").symlink_to(other)
    (watching.inbox / "gone.txt").symlink_to(tmp_path / "nothing")
    (watching.inbox / "round").symlink_to(watching.inbox)
    os.mkfifo(watching.inbox / "pipe.txt")
    assert watching.run() == []
    assert len(watching.run(follow_links=True)) == 1  # two links to one file


def test_five_hundred_at_once_are_all_tagged_in_order(watching, monkeypatch):
    monkeypatch.setattr("topicml.appending.os.fsync", lambda _: None)  # which takes most of it
    paths = [watching.write(f"{n:03}.txt", f"{BREAD} {n}. {BOAT}") for n in range(500)]
    assert watching.run() == paths
    assert [record["id"] for record in watching.records()] == paths
    assert watching.run() == []


@pytest.mark.parametrize(
    "name", ["a b.txt", "a\nb.txt", "-rf.txt", "ünïcode.txt", "$(x).txt", "'\".txt", "*.txt"]
)
def test_any_name_is_a_name(watching, name):
    path = watching.write(name, BREAD)
    assert watching.run() == [path]
    assert watching.run() == []


def test_names_that_are_no_text_are_names(watching):
    for byte, text in ((b"\xff", BREAD), (b"\xfe", BOAT)):
        watching.write(os.fsdecode(byte + b".txt"), text)
    inbox = str(watching.inbox)
    assert watching.run() == [f"{inbox}/\\xfe.txt", f"{inbox}/\\xff.txt"]
    assert watching.run() == []


def killed_at(number, monkeypatch, *, torn=False):
    """Let the write of that number, of records or a note, be the last, or be cut off."""
    count = 0

    def counting(write):
        def writing(*given):
            nonlocal count
            count += 1
            if count > number:
                raise KeyboardInterrupt
            write(*given)
            if count == number and torn:
                journal_, *_ = given
                path = journal_ if isinstance(journal_, Path) else journal_._notes
                os.truncate(path, path.stat().st_size - 7)
                raise KeyboardInterrupt

        return writing

    def counting_files(replacing):
        def opening(path):
            counting(lambda: None)()
            return replacing(path)

        return opening

    monkeypatch.setattr(journal, "append_lines", counting(journal.append_lines))
    monkeypatch.setattr(journal.Journal, "_note", counting(journal.Journal._note))
    monkeypatch.setattr(pages, "replacing", counting_files(pages.replacing))


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_run_that_is_killed_repeats_nothing_and_misses_nothing(
    watching, monkeypatch, number, torn
):
    watching.write("a.txt", LONG)
    rows = [{"id": f"r{n}", "text": f"{BREAD} {n}" if n % 3 else LONG} for n in range(7)]
    write_jsonl(watching.inbox / "b.jsonl", rows)
    watching.write("c.txt", BOAT)
    monkeypatch.setattr(tagging, "read_blocks", in_small_blocks(tagging.read_blocks))
    with monkeypatch.context() as patch:
        killed_at(number, patch, torn=torn)
        with contextlib.suppress(KeyboardInterrupt):
            watching.run()
    watching.run()
    found = watching.records()
    expected = [str(watching.inbox / "a.txt"), *(r["id"] for r in rows)]
    expected.append(str(watching.inbox / "c.txt"))
    assert [r["id"] for r in found] == expected
    copies = [r["duplicate_of"] for r in found]
    assert copies == [None, *(None if n % 3 else expected[0] for n in range(7)), None]
    assert {r["arrived"]["version"] for r in found} == {1}
    assert watching.run() == []


def test_a_file_that_changes_after_a_kill_is_another_version(watching, monkeypatch):
    rows = [{"id": f"r{n}", "text": f"{BREAD} {n}"} for n in range(4)]
    write_jsonl(watching.inbox / "b.jsonl", rows)
    monkeypatch.setattr(tagging, "read_blocks", in_small_blocks(tagging.read_blocks))
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        killed_at(2, patch)
        watching.run()
    before = watching.written()
    assert 0 < len(before) < 4
    write_jsonl(watching.inbox / "b.jsonl", [{"id": "r0", "text": BOAT}])
    assert watching.run() == ["r0"]
    assert watching.written() == [*before, ("r0", 2, None)]


@pytest.mark.parametrize("number", range(1, 13))
def test_no_record_lacks_its_page_wherever_a_run_is_killed(watching, monkeypatch, number):
    html = watching.inbox / "pages"  # which are not read
    rows = [{"id": f"r{n % 2}", "text": f"{BREAD} {n}"} for n in range(4)]
    write_jsonl(watching.inbox / "b.jsonl", rows)
    watching.write("c.txt", BOAT)
    monkeypatch.setattr(tagging, "read_blocks", in_small_blocks(tagging.read_blocks))
    with monkeypatch.context() as patch:
        killed_at(number, patch)
        with contextlib.suppress(KeyboardInterrupt):
            watching.run(html=html)
    left = {path.name for path in html.iterdir()}
    assert {record["arrived"]["page"] for record in watching.records()} <= left
    watching.run(html=html)
    records = watching.records()
    assert [r["id"] for r in records] == ["r0", "r1", "r0", "r1", str(watching.inbox / "c.txt")]
    made = {record["arrived"]["page"]: record for record in records}
    assert {path.name for path in html.iterdir()} == made.keys()  # what was left is among them
    assert len(made) == len(records)
    assert watching.run(html=html) == []
    assert not watching.told


def in_small_blocks(read_blocks):
    return lambda *given, **options: read_blocks(*given, block_bytes=150, **options)


def test_without_its_notes_the_output_tells_what_was_tagged(watching):
    watching.write("a.txt", BREAD)
    watching.run()
    Path(f"{watching.output}.watch.jsonl").unlink()
    assert watching.run() == []
    assert len(watching.records()) == 1


def test_an_output_that_was_moved_away_is_begun_anew(watching):
    watching.write("a.txt", BREAD)
    watching.run()
    watching.output.rename(watching.output.with_name("yesterday.jsonl"))
    path = watching.write("b.txt", BOAT)
    assert watching.run() == [path]


def test_notes_that_are_none_are_told(watching):
    Path(f"{watching.output}.watch.jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(OutputError, match="no note of topicml watch") as caught:
        watching.run()
    assert caught.value.where.endswith("tags.jsonl.watch.jsonl:1")


def test_one_process_writes_an_output_at_a_time(watching):
    with journal.only_writer(watching.output), pytest.raises(OutputError, match="another topicml"):
        watching.run()


def test_what_is_neither_folder_nor_feed_is_refused(watching):
    with pytest.raises(InputError, match="no such folder or feed"):
        watching.run(sources=("nowhere",))
    with pytest.raises(OutputError, match="JSON Lines"):
        watching.run(output=watching.output.with_suffix(".csv"))
    kept = ReadOptions(Fields(keep=("arrived",)))
    with pytest.raises(TopicmlError, match="'arrived' cannot be kept"):
        watching.run(options=kept)


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<link>https://news.example/</link>{}</channel></rss>"""


def item(number, text):
    title = f"<title>Item {number}</title>"
    return f"<item><guid>n{number}</guid>{title}<description>{text}</description></item>"


def test_entries_of_a_feed_are_tagged_once_by_id_and_by_content(watching, tmp_path):
    feed = tmp_path / "news.xml"

    def entries(*items):
        feed.write_text(FEED.format("".join(items)))
        return watching.run(sources=(str(feed),))

    first, second = item(1, BREAD), item(2, BOAT)
    assert entries(first) == ["n1"]
    assert entries(first) == []
    assert entries(second, first) == ["n2"]
    assert entries(item(2, f"{BOAT} It came back."), first) == ["n2"]
    assert entries(second, first) == []  # both were there
    assert entries(first.replace("n1", "another-id")) == []
    assert watching.written() == [("n1", 1, None), ("n2", 1, None), ("n2", 2, None)]
    assert watching.records()[0]["arrived"]["entry"] == "n1"


def test_entries_without_ids_are_known_by_their_text_without_notes_too(watching, tmp_path):
    feed = tmp_path / "news.xml"
    first, second = (item(n, text).split("</guid>")[1] for n, text in ((1, BREAD), (2, BOAT)))
    feed.write_text(FEED.format(f"<item>{first}"))
    assert len(watching.run(sources=(str(feed),))) == 1
    Path(f"{watching.output}.watch.jsonl").unlink()
    feed.write_text(FEED.format(f"<item>{second}<item>{first}"))
    assert len(watching.run(sources=(str(feed),))) == 1
    assert len(watching.records()) == 2


def test_a_feed_cut_off_gives_what_is_there(watching, tmp_path):
    feed = tmp_path / "news.xml"
    feed.write_text(FEED.format(item(1, BREAD) + item(2, BOAT))[:-60])
    found = watching.run(sources=(str(feed),))
    assert found[0] == "n1"
    assert any("cut off" in line for line in watching.told)
    feed.write_text(FEED.format(item(1, BREAD) + item(2, BOAT)))
    assert watching.run(sources=(str(feed),)) == ["n2"]  # again, where a part of it was there
