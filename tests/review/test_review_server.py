"""What the server sets up around the application."""

import asyncio
import logging
import socket
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from topicml.errors import TopicmlError
from topicml.review import connections
from topicml.review.access_log import ACCESS, AccessLog
from topicml.review.connections import TimedConnection
from topicml.review.server import _listen
from topicml.review.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_answers_do_not_wait_for_acknowledgements(settings_here: Settings, host: str) -> None:
    try:
        listening = _listen(replace(settings_here, host=host, port=0))
    except TopicmlError:
        pytest.skip("no such address here")
    with listening:
        assert listening.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY on no other


async def _slow_answer(_scope: Any, _receive: Any, send: Any) -> None:
    await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body", "body": b""})


GET = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [([], 0), ([b"GET / HT"], 0), ([b"GET / HTTP/1.1\r\n", b"Host: "], 0), ([GET, b"."], 1)],
    ids=["nothing", "a line", "a header", "a body that nobody reads"],
)
def test_who_begins_no_request_is_cut_off_and_who_waits_is_not(
    pieces: list[bytes], answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)  # the answer takes longer
    config = uvicorn.Config(_slow_answer, http=TimedConnection, log_config=None, lifespan="off")
    config.timeout_keep_alive = 1000
    state = ServerState()

    async def ask() -> bytes:
        def make() -> TimedConnection:
            return TimedConnection(config, state, {}, asyncio.get_running_loop())

        async with await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 30)  # up to the end
            writer.close()
            return answer

    answer = asyncio.run(ask())
    assert answer.count(b"HTTP/1.1 204") == answers
    assert not state.connections


def asked(path: str, caplog: pytest.LogCaptureFixture) -> str:
    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})

    async def send(_message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"token=secret",
        "client": ("127.0.0.1", 5),
    }
    caplog.set_level(logging.INFO, ACCESS.name)
    asyncio.run(AccessLog(answer)(scope, answer, send))
    return caplog.records[-1].getMessage()


def test_the_log_has_a_line_a_request_and_no_query(caplog: pytest.LogCaptureFixture) -> None:
    line = asked("/api/topics", caplog)
    assert line.startswith("127.0.0.1 GET /api/topics 204 ")
    assert "secret" not in line


def test_no_path_breaks_out_of_its_line(caplog: pytest.LogCaptureFixture) -> None:
    line = asked("/a\n127.0.0.1 GET /forged\x1b[2J\u202e", caplog)
    assert line.isprintable()
