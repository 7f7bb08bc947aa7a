"""The REST API: what ``topicml classify --format jsonl`` writes, over HTTP."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Run, Tiny, write_jsonl
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from topicml.io.readers import SUFFIXES
from topicml.models.store import ModelStore
from topicml.review.api import NDJSON
from topicml.review.app import create_app
from topicml.review.problems import PROBLEM_TYPE
from topicml.review.settings import Settings

BAKING = "She kneads the dough before the oven is hot."
SAILING = "They hoisted the sails at noon. The boat left the harbour with a fair wind."
RECORDS = [
    {"id": "a", "text": f"{BAKING} {SAILING}", "title": "A day – “out”"},
    {"id": 7, "text": SAILING},
    {"id": "c", "text": " "},
    {"id": "d", "text": "Nobody answered é🤝 the telephone."},
]
LINES = {"Accept": NDJSON}


@pytest.fixture
def as_the_command(app_here: FastAPI) -> None:
    """Have short texts scored by what the command scores them by: the last digits differ."""
    app_here.state.classifier.model().scorer.use("reference")


@pytest.mark.usefixtures("as_the_command")
def test_records_are_those_of_the_command_byte_for_byte(
    client: TestClient, run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "given.jsonl", RECORDS)
    said = run("classify", path, "-f", "jsonl", "--models-dir", tiny.store.root)
    answer = client.post("/api/classify", json={"texts": RECORDS}, headers=LINES)
    lines = answer.content.splitlines(keepends=True)
    assert answer.headers["content-type"] == NDJSON
    assert b"".join([*lines[:2], *lines[3:]]) == said.stdout.encode()
    upload = client.post(
        "/api/classify", files={"file": ("given.jsonl", path.read_bytes())}, headers=LINES
    )
    assert upload.content.splitlines()[:2] == answer.content.splitlines()[:2]
    assert json.loads(lines[2])["id"] == "c"
    assert json.loads(lines[2])["rejected"] == {
        "reason": "empty_text",
        "detail": "the text is empty",
    }


def test_the_compiled_kernel_says_the_same_to_rounding(
    client: TestClient, app_here: FastAPI
) -> None:
    found = {}
    for backend in ("compiled", "reference"):
        app_here.state.classifier.model().scorer.use(backend)
        found[backend] = client.post("/api/classify", json={"text": SAILING}).json()[0]
    for one, other in zip(*(r["sentences"] for r in found.values()), strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-9)


def test_array_and_lines_are_the_same_items_in_the_order_of_the_texts(client: TestClient) -> None:
    texts = [BAKING, "", {"text": SAILING, "id": "own"}, {"text": BAKING, "title": "Bread"}]
    array = client.post("/api/classify", json={"texts": texts})
    lines = client.post("/api/classify", json={"texts": texts}, headers=LINES)
    assert array.json() == [json.loads(line) for line in lines.content.splitlines()]
    assert [item["id"] for item in array.json()] == ["0", "1", "own", "3"]
    assert "rejected" in array.json()[1]
    assert array.json()[3]["sentences"][0]["text"] == "Bread"


def test_one_text_is_an_array_of_one(client: TestClient) -> None:
    (record,) = client.post("/api/classify", json={"text": BAKING, "id": "x"}).json()
    assert (record["id"], record["model"]) == ("x", "weekend@1.0.0")
    assert [topic["topic"] for topic in record["topics"]] == ["baking"]


def test_options_are_those_of_the_command(client: TestClient) -> None:
    def topics(**options: object) -> list[str]:
        answer = client.post("/api/classify", json={"text": BAKING}, params=options)
        assert answer.status_code == 200, answer.text
        return [topic["topic"] for topic in answer.json()[0]["topics"]]

    assert len(topics(threshold=0)) == 3
    assert topics(threshold=1) == []
    assert topics(relevance=1) == []
    assert topics(model="weekend@1.0.0") == topics(model="weekend") == topics() == ["baking"]
    answer = client.post("/api/classify?unit=sentence", json={"text": SAILING})
    assert len(answer.json()[0]["sentences"]) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", SAILING.encode()),
        ("a.txt.gz", gzip.compress(SAILING.encode(), mtime=0)),
        ("a", SAILING.encode("utf-16")),
        ("../../a.md", SAILING.encode()),
        ("a.csv", f"id,text\na,{SAILING}\n".encode()),
        ("a.json", json.dumps([{"text": SAILING}]).encode()),
    ],
)
def test_files_of_all_kinds_are_read_as_the_command_reads_them(
    client: TestClient, name: str, data: bytes
) -> None:
    answer = client.post("/api/classify", files={"file": (name, data)})
    (record,) = answer.json()
    assert [topic["topic"] for topic in record["topics"]] == ["sailing"]


def test_several_files_are_tagged_in_order_and_a_bad_one_costs_no_good_one(
    client: TestClient,
) -> None:
    given = [
        ("b.txt", BAKING.encode()),
        ("c.png", b"\x89PNG\r\n\x1a\n"),
        ("s.txt", SAILING.encode()),
    ]
    answer = client.post("/api/classify", files=[("file", file) for file in given])
    assert [item["id"] for item in answer.json()] == ["b.txt", None, "s.txt"]
    assert answer.json()[1]["rejected"]["reason"] == "unsupported_format"


CASES = {
    "broken JSON": (400, {"content": b"{", "headers": {"content-type": "application/json"}}),
    "no JSON object": (422, {"json": ["x"]}),
    "no text": (422, {"json": {}}),
    "another field": (422, {"json": {"text": BAKING, "txt": ""}}),
    "a number for a text": (422, {"json": {"texts": [BAKING, 7]}}),
    "an id that is none": (422, {"json": {"text": BAKING, "id": True}}),
    "nothing to tag": (422, {"json": {"texts": ["", "\n"]}}),
    "no texts": (422, {"json": {"texts": []}}),
    "too many texts": (413, {"json": {"texts": [BAKING] * 51}}),
    "too many records": (413, {"files": {"file": ("a.jsonl", b'{"text": "x"}\n' * 51)}}),
    "a field that is no file": (422, {"data": {"file": "x"}, "files": {"other": b""}}),
    "a file without texts": (422, {"files": {"file": ("a.jsonl", b'{"body": "x"}\n')}}),
    "what unpacks": (413, {"files": {"file": ("a.txt.gz", gzip.compress(b"a " * 200_000))}}),
    "another type": (415, {"content": b"x", "headers": {"content-type": "text/plain"}}),
    "no type": (415, {"content": b"x"}),
    "a path for a model": (422, {"json": {"text": BAKING}, "params": {"model": "../x"}}),
    "a model that is not there": (422, {"json": {"text": BAKING}, "params": {"model": "nope"}}),
    "another version": (422, {"json": {"text": BAKING}, "params": {"model": "weekend@9.0.0"}}),
    "a share beyond": (422, {"json": {"text": BAKING}, "params": {"threshold": "1.5"}}),
    "no number": (422, {"json": {"text": BAKING}, "params": {"threshold": "nan"}}),
    "a precision beyond": (422, {"json": {"text": BAKING}, "params": {"min_precision": "1"}}),
    "both": (422, {"json": {"text": BAKING}, "params": {"threshold": 0.5, "min_precision": 0.6}}),
    "an option misspelt": (422, {"json": {"text": BAKING}, "params": {"treshold": "0.5"}}),
    "an option twice": (422, {"json": {"text": BAKING}, "params": {"threshold": [0.5, 0.6]}}),
    "multipart that is none": (
        400,
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    ),
    "multipart that is broken": (
        400,
        {
            "content": b"--b\r\nContent-[: x\r\n\r\nx\r\n--b--\r\n",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_request_is_a_problem_in_one_form(client: TestClient, tiny: Tiny, case: str) -> None:
    status, request = CASES[case]
    answer = client.post("/api/classify", **request)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert str(tiny.store.root) not in answer.text


def test_paths_and_methods_that_are_not_there(client: TestClient) -> None:
    for method, path, status in (
        ("GET", "/nope", 404),
        ("GET", "/api/classify", 405),
        ("DELETE", "/api/topics", 405),
        ("GET", "/docs", 404),
        ("GET", "/api/../../etc/passwd", 404),
        ("GET", "/api/%2e%2e/models", 404),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_TYPE), path
        assert answer.json()["status"] == status


def test_all_that_cannot_be_tagged_is_listed(client: TestClient) -> None:
    problem = client.post("/api/classify", json={"texts": ["", "\0\0\0"]}).json()
    reasons = [reject["rejected"]["reason"] for reject in problem["rejects"]]
    assert reasons == ["empty_text", "binary"]


def test_topics_come_with_the_words_of_their_scheme(client: TestClient) -> None:
    found = client.get("/api/topics").json()
    assert found["model"] == "weekend@1.0.0"
    assert [topic["name"] for topic in found["topics"]] == ["Baking", "Gardening", "Sailing"]
    assert found["topics"][0]["definition"] == "bread, cakes, ovens and dough"
    assert all(0 < topic["threshold"] < 1 for topic in found["topics"])


def test_topics_of_another_scheme_have_no_words(settings_here: Settings, root: Path) -> None:
    other = replace(settings_here, taxonomy=root / "data/labels/taxonomy.toml")
    client = TestClient(create_app(replace(other, token=None)), other.address)
    topics = client.get("/api/topics").json()["topics"]
    assert [topic["name"] for topic in topics] == [None] * 3


def test_models_tell_their_figures_and_what_is_damaged(
    settings_here: Settings, tiny: Tiny, tmp_path: Path
) -> None:
    shutil.copytree(tiny.store.root, tmp_path / "models")
    shutil.copytree(tiny.folder, tmp_path / "models/weekend/0.9.0")
    (tmp_path / "models/weekend/0.9.0/manifest.json").write_text("{}")
    own = replace(settings_here, store=ModelStore(tmp_path / "models"), token=None)
    answer = TestClient(create_app(own), own.address).get("/api/models")
    found = answer.json()
    assert found["default"] == "weekend@1.0.0"
    (named,) = found["models"]
    damaged, sound = named["versions"]
    assert (named["current"], sound["is_current"], damaged["is_current"]) == ("1.0.0", True, False)
    assert 0 <= sound["evaluation"]["micro_f1"] <= 1
    assert damaged["error"]
    assert damaged["evaluation"] is None
    assert str(tmp_path) not in answer.text


def test_a_version_that_is_promoted_is_asked_from_the_next_request_on(
    settings_here: Settings, tiny: Tiny, tmp_path: Path
) -> None:
    store = ModelStore(tmp_path / "models")
    shutil.copytree(tiny.store.root, store.root)
    tiny.build(store, "1.1.0")
    own = replace(settings_here, store=store, token=None)
    client = TestClient(create_app(own), own.address)
    assert client.post("/api/classify", json={"text": BAKING}).json()[0]["model"] == "weekend@1.0.0"
    store.set_current("weekend", "1.1.0")
    assert client.post("/api/classify", json={"text": BAKING}).json()[0]["model"] == "weekend@1.1.0"


def test_a_server_without_a_model_says_so(settings_here: Settings, tmp_path: Path) -> None:
    own = replace(settings_here, store=ModelStore(tmp_path), token=None)
    empty = TestClient(create_app(own), own.address)
    assert empty.get("/api/models").json() == {"default": None, "models": []}
    answer = empty.post("/api/classify", json={"text": BAKING})
    assert (answer.status_code, answer.json()["detail"]) == (503, "model: no model yet")
    assert str(tmp_path) not in answer.text


_STARTS = (
    b"",
    b"PK\x03\x04",
    b"PAR1",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"BZh9",
    b"WARC/1.0\r\n",
)
_STARTS += (
    b"%PDF-",
    b"<html>",
    b'{"text": "',
    b'[{"text": "',
    b"id,text\n",
    b"\xff\xfe",
    b"\xfd7zXZ\0",
)
_NAMES = ["", "a", *(f"a{suffix}" for suffix in SUFFIXES), "a.txt.gz", "a.jsonl.zst", "a.pdf"]


@given(
    name=st.one_of(st.sampled_from(_NAMES), st.text(max_size=20)),
    start=st.sampled_from(_STARTS),
    rest=st.binary(max_size=200),
    unit=st.sampled_from(["article", "sentence"]),
)
def test_no_file_is_an_error_of_the_server(
    client: TestClient, name: str, start: bytes, rest: bytes, unit: str
) -> None:
    files = {"file": (name, start + rest)}
    answer = client.post("/api/classify", files=files, params={"unit": unit})
    assert answer.status_code in {200, 400, 413, 422}, answer.text


def test_health_is_told_to_all(stranger: TestClient) -> None:
    assert stranger.get("/api/health").json() == {"status": "ok"}


def test_an_unexpected_error_tells_nothing(settings_here: Settings) -> None:
    router = APIRouter()

    @router.get("/fails")
    async def fails() -> None:
        raise RuntimeError("a secret of the server")

    app = create_app(settings_here, [lambda *_: router])
    headers = {"Authorization": f"Bearer {settings_here.token}"}
    quiet = TestClient(app, settings_here.address, headers=headers, raise_server_exceptions=False)
    answer = quiet.get("/fails")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM_TYPE)
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    with pytest.raises(RuntimeError):  # so that the server logs it
        TestClient(app, settings_here.address, headers=headers).get("/fails")


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_each_text_has_its_item(client: TestClient, texts: list[str]) -> None:
    answer = client.post("/api/classify", json={"texts": texts})
    items = answer.json()["rejects"] if answer.status_code == 422 else answer.json()
    assert [item["id"] for item in items] == [str(place) for place in range(len(texts))]
    for text, item in zip(texts, items, strict=True):
        for sentence in item.get("sentences", []):
            assert text[sentence["start"] : sentence["end"]] == sentence["text"]
