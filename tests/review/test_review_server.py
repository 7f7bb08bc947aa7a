"""What the server sets up around the application."""

import asyncio
import logging
import socket
from dataclasses import replace
from typing import Any

import pytest

from topicml.errors import TopicmlError
from topicml.review.access_log import ACCESS, AccessLog
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
