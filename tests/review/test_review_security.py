"""What stands before the application: each rule, by a request that breaks it."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from conftest import SERVER_TOKEN as TOKEN
from fastapi import FastAPI
from fastapi.testclient import TestClient

from topicml.errors import TopicmlError
from topicml.review.app import create_app
from topicml.review.problems import PROBLEM_TYPE
from topicml.review.settings import Names, Settings

PATH = "/api/topics"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TEXT = {"text": "The bread rises under a warm cloth."}
POLICY = "content-security-policy"


def test_whoever_shows_no_token_is_told_nothing(stranger: TestClient) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer é".encode("latin-1")},
        {"Cookie": f"topicml-8321={TOKEN}"},
        {"Cookie": "topicml-8321="},
    ):
        for path in (PATH, "/", "/nope", "/api/openapi.json", "/api/health/", "//api/health"):
            answer = stranger.get(path, headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == PROBLEM_TYPE
            assert TOKEN not in answer.text


def test_the_token_is_taken_as_bearer(stranger: TestClient) -> None:
    assert stranger.get(PATH, headers=BEARER).status_code == 200
    assert stranger.get(PATH, headers={"authorization": f"bearer  {TOKEN}"}).status_code == 200


def test_the_link_sets_a_cookie_that_opens_the_rest(stranger: TestClient) -> None:
    answer = stranger.get(f"{PATH}?model=weekend&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?model=weekend")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {*cookie.split("; ")}
    assert TOKEN not in cookie
    pair = cookie.partition(";")[0]
    assert pair.startswith("topicml-8321=")
    stranger.cookies.clear()
    assert stranger.get(PATH, headers={"Cookie": f"other=1; {pair}"}).status_code == 200
    assert stranger.get(PATH, headers={"Cookie": f"{pair}x"}).status_code == 401
    assert stranger.get(f"{PATH}?token=wrong", headers={"Cookie": pair}).status_code == 401


def test_the_link_leads_to_no_other_server(stranger: TestClient) -> None:
    for path in ("//evil.example", "///evil.example", "/\\evil.example", "/%0d%0aX: y"):
        answer = stranger.get(f"http://127.0.0.1:8321{path}?token={TOKEN}")
        stranger.cookies.clear()
        assert answer.status_code == 303
        location = answer.headers["location"]
        assert location.startswith("/")
        assert location[1:2] not in {"/", "\\"}
        assert "x" not in answer.headers


def test_a_link_does_nothing_but_read(stranger: TestClient) -> None:
    answer = stranger.post(f"/api/classify?token={TOKEN}", json=TEXT)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_tokens_are_compared_in_constant_time(
    stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    stranger.get(PATH, headers=BEARER)
    stranger.get(f"/?token={TOKEN}")
    stranger.cookies.clear()
    assert compared == [(TOKEN.encode(), TOKEN.encode())] * 2


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8321@evil.example",
        "127.0.0.1.evil.example:8321",
        "localhost.evil.example:8321",
        "[::1]",
        "[::2]:8321",
        "192.168.0.1:8321",
        "other.example",
        "other.example:445",
        "",
    ],
)
def test_a_server_that_renames_itself_is_not_answered(stranger: TestClient, host: str) -> None:
    for path in (PATH, "/api/health", f"/?token={TOKEN}"):
        answer = stranger.get(path, headers={"Host": host, **BEARER})
        assert answer.status_code == 421
        assert answer.headers["content-type"] == PROBLEM_TYPE
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8321", "localhost:8321", "LOCALHOST:8321", "[::1]:8321"),
        *("topics.example", "topics.example:443", "other.example:444"),
    ],
)
def test_the_server_has_several_names(stranger: TestClient, host: str) -> None:
    assert stranger.get(PATH, headers={"Host": host, **BEARER}).status_code == 200


def test_on_all_addresses_it_is_called_by_any_address_and_no_other_name(
    settings_here: Settings,
) -> None:
    names = Names(replace(settings_here, host="0.0.0.0"))  # noqa: S104
    assert names.hold("192.168.0.1:8321")
    assert names.hold("[fd00::1]:8321")
    assert not names.hold("192.168.0.1:8322")
    assert not names.hold("evil.example:8321")


def test_port_80_is_not_named_by_browsers(settings_here: Settings) -> None:
    assert Names(replace(settings_here, port=80)).hold("localhost")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8321"},
        {"Origin": "file://"},
        {"Origin": "http://[bad"},
        {"Origin": "chrome-extension://127.0.0.1:8321"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_others_change_nothing(client: TestClient, headers: dict[str, str]) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANYTHING"):
        answer = client.request(method, "/api/classify", headers=headers, json=TEXT)
        assert answer.status_code == 403, method
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Host": "topics.example", "Origin": "https://topics.example"},
    ],
)
def test_own_pages_and_programs_may_write(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/classify", headers=headers, json=TEXT).status_code == 200


def test_every_answer_has_the_headers_that_keep_a_page_to_itself(
    client: TestClient, stranger: TestClient
) -> None:
    for answer in (
        client.get(PATH),
        client.get("/nope"),
        client.post("/api/classify", json={}),
        stranger.get(PATH),
        stranger.get(PATH, headers={"Host": "evil.example"}),
        stranger.get(f"/?token={TOKEN}"),
    ):
        policy = answer.headers[POLICY]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


Receive = Callable[[], Any]


def ask(app: FastAPI, receive: Receive, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Post to the application as a server does; return status and body of the answer."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/classify",
        "raw_path": b"/api/classify",
        "query_string": b"",
        "scheme": "http",
        "headers": [
            (b"host", b"127.0.0.1:8321"),
            (b"authorization", f"Bearer {TOKEN}".encode()),
            (b"content-type", b"application/json"),
            *headers,
        ],
    }
    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body


def parts(given: Iterable[bytes], wait: float = 0.0) -> Receive:
    async def messages() -> AsyncIterator[dict[str, Any]]:
        for part in given:
            await asyncio.sleep(wait)
            yield {"type": "http.request", "body": part, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    running = messages()
    return lambda: anext(running)


def test_a_body_is_counted_as_it_comes_whatever_it_says_of_itself(app_here: FastAPI) -> None:
    taken = 0

    def endless() -> Iterable[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 10_000

    for headers in ((), ((b"content-length", b"10"),), ((b"content-length", b"-1"),)):
        taken = 0
        assert ask(app_here, parts(endless()), *headers)[0] == 413
        assert taken == 21
    multipart = (b"content-type", b"multipart/form-data; boundary=x")
    assert ask(app_here, parts(endless()), multipart)[0] == 413


def test_a_body_that_says_that_it_is_too_large_is_not_read(app_here: FastAPI) -> None:
    async def unread() -> None:
        raise AssertionError

    for said in (b"200001", b"9" * 5000):
        assert ask(app_here, unread, (b"content-length", said))[0] == 413


def test_a_body_that_comes_too_slowly_is_given_up(app_here: FastAPI) -> None:
    status, body = ask(app_here, parts([b"{"] * 1000, wait=0.05))
    assert status == 408
    assert b"0.5 seconds" in body


def test_a_client_that_goes_away_is_no_error_of_the_server(app_here: FastAPI) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert ask(app_here, gone)[0] == 400


def test_two_names_at_once_are_none(app_here: FastAPI) -> None:
    assert ask(app_here, parts([b"{}"]), (b"host", b"127.0.0.1:8321"))[0] == 421


def test_websockets_are_closed(client: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/classify"):
        pass


def test_without_a_token_names_and_origins_still_count(settings_here: Settings) -> None:
    opened = TestClient(create_app(replace(settings_here, token=None)), settings_here.address)
    assert opened.post("/api/classify", json=TEXT).status_code == 200
    assert opened.get(PATH, headers={"Host": "evil.example"}).status_code == 421
    evil = {"Origin": "http://evil.example"}
    assert opened.post("/api/classify", json=TEXT, headers=evil).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "topics.example", ""])  # noqa: S104
@pytest.mark.parametrize("token", [None, "", "short", "fifteen-letters"])
def test_others_are_let_in_by_a_long_token_alone(
    settings_here: Settings, host: str, token: str | None
) -> None:
    with pytest.raises(TopicmlError, match="16 characters"):
        replace(settings_here, host=host, token=token).check()
    replace(settings_here, host=host, token="sixteen-letters!").check()  # noqa: S106


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"])
def test_this_machine_alone_may_do_without(settings_here: Settings, host: str) -> None:
    replace(settings_here, host=host, token=None).check()


@pytest.mark.parametrize("token", ["with space", "é" * 20, "new\nline"])
def test_a_token_is_what_a_header_can_carry(settings_here: Settings, token: str) -> None:
    with pytest.raises(TopicmlError, match="ASCII"):
        replace(settings_here, token=token).check()


def test_settings_do_not_show_their_token(settings_here: Settings) -> None:
    assert TOKEN not in repr(settings_here)
    assert settings_here.link == f"http://127.0.0.1:8321/?token={TOKEN}"
    assert replace(settings_here, host="::1").address == "http://[::1]:8321"
