"""Retraining: a version, its comparison, and what is decided; lists that commands make."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Tiny
from desks import ARTICLE, open_desk, write_project
from processes import wait_until

from topicml.errors import InputError, ModelError
from topicml.review.desk.desk import Desk


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Tiny) -> Desk:
    """A desk with a version that nobody has decided on."""
    desk = open_desk(write_project(tmp_path_factory.mktemp("trained") / "weekend", tiny))
    key = desk.open_text("Harbour", ARTICLE, "ann").key
    view, (first, *_) = f"article:{key}", desk.article(key, "ann")["sentences"]
    desk.answer(view, first["id"], "ann", ["baking", "sailing"])
    desk.retrain("ann")
    assert desk.training.state()["status"] == "running"
    wait_until(lambda: desk.training.state()["status"] != "running", 120)
    return desk


def test_a_version_is_made_and_compared(trained: Desk) -> None:
    state = trained.training.state()
    assert (state["status"], state["error"]) == ("done", "")
    assert (state["about"]["old"], state["about"]["new"]) == ("1.0.0", "1.1.0")
    assert state["comparison"]["new"]["model"] == "weekend@1.1.0"
    assert state["in_use"] == "1.0.0"


def test_only_what_was_trained_last_is_promoted(trained: Desk) -> None:
    with pytest.raises(ModelError, match="not what was trained last"):
        trained.training.promote("1.0.0", "ann")


def test_it_is_kept_or_promoted_and_the_desk_uses_it(trained: Desk) -> None:
    trained.training.keep("1.1.0", "ann")
    decision = trained.training.state()["decision"]
    assert (decision["what"], decision["by"]) == ("kept", "ann")
    if trained.training.state()["comparison"]["verdict"] == "ok":
        trained.training.promote("1.1.0", "kim")
        assert trained.training.state()["decision"]["what"] == "promoted"
        model = trained.model.model()
        assert model is not None
        assert model.reference == "weekend@1.1.0"
    else:
        with pytest.raises(ModelError, match="refused"):
            trained.training.promote("1.1.0", "kim")


def test_the_first_version_is_compared_with_none(tmp_path: Path, tiny: Tiny) -> None:
    desk = open_desk(write_project(tmp_path / "new", tiny, with_model=False))
    desk.retrain("ann")
    wait_until(lambda: desk.training.state()["status"] != "running", 120)
    state = desk.training.state()
    assert (state["status"], state["is_first"], state["in_use"]) == ("done", True, "1.0.0")


def test_a_training_that_fails_says_why(tmp_path: Path, tiny: Tiny) -> None:
    project = write_project(tmp_path / "few", tiny)
    path = project / "data/labels/labels.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    desk = open_desk(project)
    desk.retrain("ann")
    wait_until(lambda: desk.training.state()["status"] != "running", 120)
    state = desk.training.state()
    assert state["status"] == "failed"
    assert state["error"]
    assert "Traceback" not in state["error"]


def test_queue_and_issues_are_lists_with_reasons(tmp_path: Path, tiny: Tiny) -> None:
    project = write_project(tmp_path / "weekend", tiny)
    desk = open_desk(project)
    with pytest.raises(InputError, match="no article"):
        desk.make("queue", "ann")
    key = desk.open_text("Harbour", ARTICLE, "ann").key
    desk.make("queue", "ann")
    path = project / "data/labels/labels.jsonl"
    path.write_text(
        path.read_text()
        + '{"article": "x", "id": "x-1", "text": "A loaf is cut at noon.", "topics": []}\n'
        + '{"article": "y", "id": "y-1", "text": "A loaf is cut at noon.", "topics": ["baking"]}\n'
    )
    desk.make("issues", "ann")
    for name in ("queue", "issues"):
        wait_until(lambda name=name: desk.worklists.statuses()[name] == "done", 120)
    queue = desk.work("queue", "ann")["sentences"]
    assert {one["id"] for one in queue} == {
        one["id"] for one in desk.article(key, "ann")["sentences"]
    }
    assert any("nearest" in why for one in queue for why in one["why"])
    said = desk.answer("queue", queue[0]["id"], "ann", [])
    assert desk.article(key, "ann")["sentences"][0]["id"]
    assert said["state"] == "answered"
    issues = desk.work("issues", "ann")["sentences"]
    assert {one["id"] for one in issues} >= {"x-1", "y-1"}
    desk.answer("issues", "x-1", "ann", ["baking"])
    assert desk.labels.labels()["x-1"].record.topics == ("baking",)
