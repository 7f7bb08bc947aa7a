"""The requests that the page makes, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from desks import ARTICLE, open_desk, write_project
from fastapi.testclient import TestClient

from topicml.io.web import Fetched
from topicml.review.app import create_app
from topicml.review.desk import links
from topicml.review.page.routes import page_router
from topicml.review.settings import Settings

TOKEN = "a-token-of-the-tests"  # noqa: S105


@pytest.fixture
def project(tmp_path: Path, tiny: Tiny) -> Path:
    return write_project(tmp_path / "weekend", tiny)


@pytest.fixture
def client(project: Path) -> Iterator[TestClient]:
    with make_client(project) as client:
        client.post("/api/review/annotator", json={"name": "ann"})
        yield client


def make_client(project: Path, *, name: str = "", folders: tuple[Path, ...] = ()) -> TestClient:
    desk = open_desk(project)
    settings = Settings(desk.store, token=TOKEN, port=80)
    app = create_app(
        settings,
        [lambda ready, _, workers: page_router(desk, ready, workers, name, folders)],
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(app, base_url="http://127.0.0.1", headers=headers)


def opened(client: TestClient, text: str = ARTICLE) -> tuple[str, list[dict[str, Any]]]:
    found = client.post("/api/review/text", json={"text": text, "title": "Harbour"}).json()
    view = f"article:{found['keys'][0]}"
    return view, client.get(f"/api/review/views/{view}").json()["sentences"]


def test_page_and_files_come_from_the_package_and_name_nothing_else(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert " style=" not in page.text
    assert "<script>" not in page.text
    for name in ("main.js", "review.css", "look.css", "icon.svg"):
        assert client.get(f"/static/{name}").status_code == 200
    for name in ("../routes.py", "..%2froutes.py", "review.html", "nothing.js"):
        assert client.get(f"/static/{name}").status_code == 404


def test_all_of_it_is_behind_the_token(project: Path) -> None:
    client = make_client(project)
    del client.headers["Authorization"]
    for path in ("/", "/static/main.js", "/api/review", "/report.html"):
        assert client.get(path).status_code == 401
    assert client.post("/api/review/undo").status_code == 401


def test_nobody_changes_anything_without_a_name_or_from_elsewhere(project: Path) -> None:
    client = make_client(project)
    text = {"text": ARTICLE, "title": ""}
    refused = client.post("/api/review/text", json=text)
    assert (refused.status_code, refused.json()["detail"]) == (409, "say who you are first")
    client.post("/api/review/annotator", json={"name": "ann"})
    elsewhere = {"Origin": "https://example.org"}
    assert client.post("/api/review/text", json=text, headers=elsewhere).status_code == 403
    assert client.post("/api/review/text", json=text).status_code == 200
    assert make_client(project, name="kim").get("/api/review").json()["annotator"] == "kim"


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "x" * 101])
def test_what_is_no_name_is_refused(project: Path, name: str) -> None:
    answer = make_client(project).post("/api/review/annotator", json={"name": name})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_any_name_is_kept_as_it_is(project: Path) -> None:
    client = make_client(project)
    for name in ('Zoë; "x"=1, <b>', "李"):
        client.post("/api/review/annotator", json={"name": name})
        assert client.get("/api/review").json()["annotator"] == name


def test_answers_undo_and_places(client: TestClient) -> None:
    view, (first, second, _) = opened(client)
    answer = {"view": view, "id": first["id"], "topics": ["baking"]}
    assert client.post("/api/review/answers", json=answer).json()["mine"] == ["baking"]
    skip = {"view": view, "id": second["id"], "topics": None, "note": "unclear"}
    said = client.post("/api/review/answers", json=skip).json()
    assert (said["state"], said["mine"], said["note"]) == ("skipped", None, "unclear")
    assert client.post("/api/review/undo").json()["sentence"]["id"] == second["id"]
    client.post("/api/review/place", json={"view": view, "id": second["id"]})
    again = client.get("/api/review").json()
    assert (again["view"], again["at"][view]) == (view, second["id"])
    assert client.get("/api/review/counts").json()["annotators"][0]["sentences"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"topics": ["bakery"]},
        {"topics": "baking"},
        {"id": "nobody"},
        {"view": "elsewhere"},
        {"view": "article:../../labels"},
        {"annotator": "kim"},
        {"topics": [3]},
    ],
)
def test_wrong_answers_are_problems_and_change_nothing(
    client: TestClient, project: Path, body: dict[str, Any]
) -> None:
    view, (first, *_) = opened(client)
    given = {"view": view, "id": first["id"], "topics": ["baking"], **body}
    answer = client.post("/api/review/answers", json=given)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert not (project / "data/labels/reviewed.jsonl").exists()


def test_files_are_opened_and_what_is_wrong_is_said(client: TestClient) -> None:
    files = [
        ("file", ("a/b/one.txt", b"The bread was in the oven.")),
        ("file", ("two.html", b"<html><body><article><p>" + b"Sails. " * 40 + b"</p></article>")),
        ("file", ("bad.jsonl", b"{broken\n")),
    ]
    found = client.post("/api/review/files", files=files).json()
    assert [one["name"] for one in found["articles"]] == ["one.txt", "two.html"]
    assert "bad.jsonl:1" in found["problems"][0]
    assert client.post("/api/review/files", files=[("x", ("a.txt", b"x"))]).status_code == 422
    fields = {f"more{number}": "x" for number in range(11)}
    assert client.post("/api/review/files", files=files, data=fields).status_code == 400
    client.post("/api/review/close", json={"key": found["keys"][0]})
    assert len(client.get("/api/review").json()["articles"]) == 1


def test_only_files_of_the_folders_given_are_picked(project: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "a.txt").write_text("The boat left.")
    (tmp_path / "secret.txt").write_text("Not to be read.")
    client = make_client(project, name="ann", folders=(given,))
    (listed,) = client.get("/api/review/folder").json()["files"]
    assert client.post("/api/review/folder", json={"path": listed}).json()["keys"]
    for path in (str(tmp_path / "secret.txt"), f"{given}/../secret.txt", "/etc/passwd"):
        assert client.post("/api/review/folder", json={"path": path}).status_code == 422


def test_articles_are_handed_on(client: TestClient) -> None:
    opened(client)
    lines = client.get("/api/review/articles.jsonl")
    assert lines.json()["model"] == "weekend@1.0.0"
    assert "attachment" in lines.headers["content-disposition"]
    report = client.get("/report.html")
    assert "kneaded the dough" in report.text
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "sha256-" in policy


def test_explanations(client: TestClient) -> None:
    view, (first, *_) = opened(client)
    found = client.get("/api/review/explanation", params={"view": view, "id": first["id"]}).json()
    assert found["model"] == "weekend@1.0.0"
    topic = found["topics"][0]
    assert topic["topic"] in {"baking", "sailing"}
    assert "".join(text for text, _ in topic["pieces"]) == first["text"]
    assert max(abs(strength) for _, strength in topic["pieces"]) == 1


def test_a_link_is_opened_by_what_its_server_says(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "The boat from Lübeck left the harbour with a fair wind today. " * 5
    page = f"<html><head><title>Harbour news</title></head><body><article><p>{text}</p></article>"
    url = "https://example.org/news/"
    got = Fetched(page.encode("cp437"), "text/html", "cp437", url)  # which no page says itself
    monkeypatch.setattr(links, "fetch_page", lambda _url: got)
    found = client.post("/api/review/link", json={"url": "https://example.org/old"}).json()
    (article,) = found["articles"]
    assert article["name"] == "Harbour news"
    view = client.get(f"/api/review/views/article:{article['key']}").json()
    assert view["fields"]["url"] == url
    assert view["text"].count("Lübeck") == 5


def test_a_link_to_this_machine_is_refused_without_an_option_that_there_is_not(
    client: TestClient,
) -> None:
    answer = client.post("/api/review/link", json={"url": "http://127.0.0.1/"})
    assert answer.status_code == 422
    said = answer.json()["detail"]
    assert said.startswith("http://127.0.0.1/: this leads to 127.0.0.1, which is not of the public")
    assert said.endswith("Save the page, and open the file.")


def test_training_is_refused_where_there_is_nothing_to_decide(client: TestClient) -> None:
    assert client.get("/api/review/training").json()["status"] == "none"
    for promote in (True, False):
        body = {"version": "1.0.0", "promote": promote}
        assert client.post("/api/review/training/decision", json=body).status_code == 422
    assert client.post("/api/review/training/cancel").status_code == 200
    assert client.post("/api/review/lists", json={"name": "queue"}).status_code == 422
    assert client.post("/api/review/lists", json={"name": "disagreements"}).status_code == 422
