"""The desk without HTTP: articles in, answers out, lists, and two people at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Tiny, tiny_records, write_jsonl
from desks import ARTICLE, label_of, open_desk, write_project

from topicml.errors import InputError, LabelError, TopicmlError
from topicml.labels.agreement import passes_by_annotator
from topicml.review.desk.desk import Desk


@pytest.fixture
def project(tmp_path: Path, tiny: Tiny) -> Path:
    return write_project(tmp_path / "weekend", tiny)


@pytest.fixture
def desk(project: Path) -> Desk:
    return open_desk(project)


def open_article(desk: Desk, text: str = ARTICLE) -> tuple[str, list[str]]:
    key = desk.open_text("Harbour", text, "ann").key
    return f"article:{key}", [one["id"] for one in desk.article(key, "ann")["sentences"]]


def sentence(desk: Desk, view: str, number: int, annotator: str = "ann") -> dict:
    return desk.article(view.removeprefix("article:"), annotator)["sentences"][number]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \n", "the text is empty"),
        ("The boat \ud800 sailed.", "lone surrogate"),
        ("The boat\0 sailed.", "binary data"),
        ("The boat sailed. " * 1_000_000, "more than 16 MB"),
    ],
    ids=["empty", "surrogate", "binary", "long"],
)
def test_a_pasted_text_is_held_to_what_files_are_held_to(desk: Desk, text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        desk.open_text("", text, "ann")
    assert desk.articles.all() == []


def test_an_answer_is_an_annotation_and_a_label(desk: Desk, project: Path) -> None:
    view, ids = open_article(desk)
    said = desk.answer(view, ids[0], "ann", ["sailing", "baking"])
    assert (said["state"], said["mine"]) == ("answered", ["baking", "sailing"])
    (written,) = desk.readings.all()
    assert (written.id, written.topics, written.annotator) == (ids[0], ("baking", "sailing"), "ann")
    assert (written.scheme, written.origin) == ("1.3", "review")
    label = label_of(project, ids[0])
    assert label["topics"] == ["baking", "sailing"]
    assert (label["status"], label["annotator"], label["article"]) == ("single", "ann", view[8:])
    text = desk.articles.get(view[8:]).text
    assert text[label["start"] : label["end"]] == label["text"]


def test_no_topic_a_skip_and_no_answer_are_three_things(desk: Desk, project: Path) -> None:
    view, ids = open_article(desk)
    desk.answer(view, ids[0], "ann", [])
    desk.answer(view, ids[1], "ann", None)
    states = [sentence(desk, view, n)["state"] for n in range(3)]
    assert states == ["answered", "skipped", "open"]
    assert [sentence(desk, view, n)["label"] for n in range(3)] == [[], None, None]
    assert label_of(project, ids[0])["status"] == "single"
    assert label_of(project, ids[1])["status"] == "skipped"


def test_undo_takes_back_step_by_step(desk: Desk, project: Path) -> None:
    view, ids = open_article(desk)
    desk.answer(view, ids[0], "ann", ["baking"])
    desk.answer(view, ids[0], "ann", ["baking", "sailing"])
    desk.answer(view, ids[1], "ann", None)
    back = [desk.take_back("ann") for _ in range(4)]
    assert back[0] is not None
    assert (back[0]["id"], back[0]["state"]) == (ids[1], "open")
    assert back[1] is not None
    assert back[1]["mine"] == ["baking"]
    assert back[2] is not None
    assert (back[2]["state"], back[2]["label"]) == ("open", None)
    assert back[3] is None
    assert len(desk.readings.all()) == 6  # nothing was removed
    assert label_of(project, ids[0])["status"] == "skipped"


def test_undo_is_of_one_annotator_alone(desk: Desk) -> None:
    view, ids = open_article(desk)
    desk.answer(view, ids[0], "ann", ["baking"])
    desk.answer(view, ids[1], "kim", ["sailing"])
    back = desk.take_back("ann")
    assert back is not None
    assert back["id"] == ids[0]
    assert sentence(desk, view, 1, "kim")["mine"] == ["sailing"]
    assert desk.take_back("ann") is None


def test_an_answer_given_twice_is_one(desk: Desk) -> None:
    view, ids = open_article(desk)
    for _ in range(2):
        desk.answer(view, ids[0], "ann", ["baking"])
    assert len(desk.readings.all()) == 1


def test_two_who_agree_make_gold_and_two_who_differ_a_disagreement(
    desk: Desk, project: Path
) -> None:
    view, ids = open_article(desk)
    for annotator, second in (("ann", ["baking"]), ("kim", [])):
        desk.answer(view, ids[0], annotator, ["baking"])
        desk.answer(view, ids[1], annotator, second)
    assert label_of(project, ids[0])["status"] == "gold"
    assert label_of(project, ids[1])["status"] == "skipped"
    (task,) = desk.work("disagreements", "lee")["sentences"]
    assert (task["id"], task["why"]) == (ids[1], ["ann: Baking", "kim: no topic"])
    assert [one["annotator"] for one in task["others"]] == ["ann", "kim"]
    desk.answer("disagreements", ids[1], "lee", ["baking"], "the dough is named")
    label = label_of(project, ids[1])
    assert (label["topics"], label["status"], label["annotator"]) == (["baking"], "gold", "lee")
    assert desk.readings.all()[-1].reason == "the dough is named"
    assert desk.take_back("lee") is not None
    assert label_of(project, ids[1])["status"] == "skipped"


def test_one_reading_does_not_change_a_settled_label_and_is_listed(
    desk: Desk, project: Path
) -> None:
    settled = {**tiny_records()[0], "id": "rest", "text": "The dough rests until noon."}
    path = write_jsonl(project / "data/labels/labels.jsonl", [*tiny_records(), settled])
    before = path.read_bytes()
    view, ids = open_article(desk, "The  dough rests until noon. Something else was said.")
    assert ids[0] == "rest"
    desk.answer(view, "rest", "ann", ["sailing"])
    assert path.read_bytes() == before
    (task,) = desk.work("disagreements", "ann")["sentences"]
    assert task["why"] == ["settled by tester: Baking", "ann: Sailing"]
    desk.answer("disagreements", "rest", "ann", ["sailing"])
    assert label_of(project, "rest", "labels.jsonl")["topics"] == ["sailing"]
    assert desk.work("disagreements", "ann")["sentences"] == []
    desk.take_back("ann")
    assert path.read_bytes() == before


def test_many_at_once_lose_nothing(project: Path) -> None:
    desks = [open_desk(project) for _ in range(2)]
    view, ids = open_article(desks[0], " ".join(f"Sentence number {n} is here." for n in range(12)))
    assert len(ids) == 12

    def work(who: int) -> None:
        for identifier in ids:
            desks[who].answer(view, identifier, f"ann-{who}", ["baking"])

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(2)))
    passes = passes_by_annotator(open_desk(project).readings.all())
    assert {name: {one.id for one in said} for name, said in passes.items()} == {
        "ann-0": {*ids},
        "ann-1": {*ids},
    }
    lines = (project / "data/labels/reviewed.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["gold"] * 12


def test_labels_follow_what_a_killed_server_had_written_down(desk: Desk, project: Path) -> None:
    view, ids = open_article(desk)
    desk.answer(view, ids[0], "ann", ["baking"])
    path = project / "data/labels/reviewed.jsonl"
    row = label_of(project, ids[0])
    write_jsonl(path, [{**row, "topics": [], "status": "skipped"}])
    open_desk(project)
    assert label_of(project, ids[0])["topics"] == ["baking"]


def test_articles_of_all_kinds_are_kept_by_their_text(desk: Desk, project: Path) -> None:
    given = {
        "one.txt": b"The bread was in the oven.",
        "again.txt": b"The bread was in the oven.",
        "two.jsonl": b'{"id": "x", "text": "Sails."}\n{"id": "y", "text": "Beds."}\n',
        "three.csv": b"id,title,text\n1,Garden,The bed was dug.\n",
    }
    opened = [desk.open_bytes(name, data, "ann") for name, data in given.items()]
    assert [problems for _, problems in opened] == [[]] * 4
    assert [one["name"] for one in open_desk(project).overview()] == ["one.txt", "x", "y", "Garden"]
    assert (project / "data/labels/.review/.gitignore").read_text() == "*\n"


def test_what_cannot_be_read_is_said_and_costs_nothing(desk: Desk) -> None:
    opened, problems = desk.open_bytes("../../x.jsonl", b'{"text": "Good."}\n{broken\n', "ann")
    assert [one.text for one in opened] == ["Good."]
    assert "x.jsonl:2" in problems[0]
    assert desk.open_bytes("empty.txt", b" ", "ann")[1]
    with pytest.raises(InputError, match="text is empty"):
        desk.open_text("", " \n", "ann")


def test_an_article_can_be_put_away_and_opened_again(desk: Desk) -> None:
    key = desk.open_text("Harbour", ARTICLE, "ann").key
    desk.articles.close(key)
    assert desk.overview() == []
    with pytest.raises(InputError, match="no such article"):
        desk.article(key, "ann")
    assert desk.open_text("Harbour", ARTICLE, "ann").key == key


@pytest.mark.parametrize("key", ["../labels", "a/b", "", "A", "a\n"])
def test_no_key_leads_out_of_the_folder(desk: Desk, key: str) -> None:
    with pytest.raises(InputError):
        desk.articles.get(key)


def test_wrong_answers_are_refused_and_leave_nothing(desk: Desk, project: Path) -> None:
    view, ids = open_article(desk)
    for annotator, topics in (("ann", ["bakery"]), (" ", ["baking"]), ("a\ud800", ["baking"])):
        with pytest.raises(LabelError):
            desk.answer(view, ids[0], annotator, topics)
    with pytest.raises(TopicmlError):
        desk.answer(view, "nobody", "ann", [])
    with pytest.raises(TopicmlError, match="no such list"):
        desk.answer("elsewhere", "nobody", "ann", [])
    assert not (project / "data/labels/reviewed.jsonl").exists()
    assert desk.readings.all() == []


def test_without_a_model_articles_are_their_sentences(tmp_path: Path, tiny: Tiny) -> None:
    desk = open_desk(write_project(tmp_path / "new", tiny, with_model=False))
    view, ids = open_article(desk)
    assert len(ids) == 3
    assert sentence(desk, view, 0)["probabilities"] == {}
    with pytest.raises(InputError, match="no model"):
        desk.make("queue", "ann")


def test_everybody_is_where_they_left_off(desk: Desk, project: Path) -> None:
    desk.places.move("ann", "queue", "a-1")
    desk.places.move("ann", "article:x", "b-1")
    desk.places.move("kim", "issues")
    again = open_desk(project).places
    assert (again.get("ann").view, again.get("ann").at) == (
        "article:x",
        {"queue": "a-1", "article:x": "b-1"},
    )
    assert again.get("kim").view == "issues"
    assert again.get("lee").view == ""


def test_counts_and_agreement(desk: Desk) -> None:
    view, ids = open_article(desk)
    for annotator in ("ann", "kim"):
        desk.answer(view, ids[0], annotator, ["baking"])
    desk.answer(view, ids[1], "ann", None)
    found = desk.counts()
    assert found["labels"] == len(desk.labels.labels().files[0].records) + 1
    assert found["annotators"] == [
        {"annotator": "ann", "sentences": 1, "skipped": 1, "settled": 0},
        {"annotator": "kim", "sentences": 1, "skipped": 0, "settled": 0},
    ]
    assert [(pair["sentences"], pair["same"]) for pair in found["pairs"]] == [(1, 1)]
