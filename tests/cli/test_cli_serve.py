"""``topicml serve``: a process of its own, over real sockets."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Run, Tiny, assert_clean_failure

PATIENCE = 100
BODY = json.dumps({"text": "The bread rises under a warm cloth."}).encode()


class Server:
    """The command, once it said that it is ready."""

    def __init__(self, tiny: Tiny, log: Path) -> None:
        command = [sys.executable, "-m", "topicml", "serve", "--port", "0"]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [*command, "--models-dir", str(tiny.store.root)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env={k: v for k, v in os.environ.items() if k != "TOPICML_TOKEN"},
            )
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()
        self.token = self.process.stdout.readline().strip().removeprefix("token: ")
        self.port = int(self.address.rpartition(":")[2].partition("/")[0])
        self.log = log

    def send(self, data: bytes) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        opened.sendall(data.replace(b"PORT", str(self.port).encode()))
        return opened

    def status(self, data: bytes) -> int:
        """Return the status of the answer to these bytes; 0 where there is none."""
        with self.send(data) as opened:
            line = opened.makefile("rb").readline()
        return int(line.split()[1]) if line else 0

    def head(self, *lines: str) -> bytes:
        given = ["POST /api/classify?unit=sentence HTTP/1.1", *lines]
        given += [f"Authorization: Bearer {self.token}", "Content-Type: application/json"]
        return "\r\n".join([*given, "", ""]).encode()


@pytest.fixture(scope="module")
def server(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tiny, tmp_path_factory.mktemp("serve") / "log")
    yield started
    started.process.kill()
    started.process.wait()


def test_it_is_ready_once_it_has_told_its_address_and_token(server: Server) -> None:
    assert server.address == f"http://127.0.0.1:{server.port}/api"
    assert len(server.token) >= 40
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/classify", BODY, headers)
    (record,) = json.load(connection.getresponse())
    connection.close()
    assert [topic["topic"] for topic in record["topics"]] == ["baking"]


def test_the_wire_is_read_strictly(server: Server) -> None:
    length = f"Content-Length: {len(BODY)}"
    own = "Host: 127.0.0.1:PORT"
    for lines, status in (
        ([own, length], 200),
        (["Host: evil.example:PORT", length], 421),
        ([length], 400),
        ([own, own, length], 400),
        ([own, length, "Origin: http://evil.example"], 403),
        ([own, length, "Sec-Fetch-Site: cross-site"], 403),
        ([own, "Content-Length: 99999999"], 413),
        ([own, length, "Transfer-Encoding: identity"], 400),
        ([own, length, length + "0"], 400),
    ):
        assert server.status(server.head(*lines) + BODY) == status, lines[:3]
    assert server.status(b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n") == 401
    assert server.status(server.head(own, f"X: {'x' * 100_000}")[:100_000]) == 400
    assert server.status(b"\0\1\2\r\n\r\n") == 400


def test_those_who_send_nothing_more_stop_no_one(server: Server) -> None:
    slow = [server.send(b"POST /api/classify HTTP/1.1\r\nHost: ") for _ in range(50)]
    slow += [server.send(server.head("Host: 127.0.0.1:PORT", "Content-Length: 9")) for _ in "123"]
    assert server.status(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n") == 200
    for opened in slow:
        opened.close()


def test_what_is_under_way_is_answered_before_it_ends(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", f"/api/health?token={server.token}")
    assert connection.getresponse().read()
    connection.close()
    head = server.head("Host: 127.0.0.1:PORT", f"Content-Length: {len(BODY)}")
    with server.send(head + BODY[:9]) as opened:
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.5)
        opened.sendall(BODY[9:])
        assert opened.makefile("rb").readline().split()[1] == b"200"
    assert server.process.wait(PATIENCE) == 0
    said = server.log.read_text()
    assert "GET /api/health 200" in said
    assert "POST /api/classify 421" in said
    assert "Traceback" not in said
    assert server.token not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "give a token of 16 characters"),  # noqa: S104
        (["--host", "::", "--token", "short"], "give a token of 16 characters"),
        (["--host", "192.168.0.9", "--no-token"], "give a token of 16 characters"),
        (["--token", "two words"], "letters, digits and signs"),
        (["--token", "x" * 16, "--no-token"], "not both"),
        (["--port", "70000"], "0<=x<=65535"),
    ],
)
def test_what_would_be_unsafe_is_refused(
    run_here: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("TOPICML_TOKEN", raising=False)
    assert_clean_failure(run_here("serve", *arguments), said, code=2)


def test_a_port_that_is_taken_is_told(run_here: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_here("serve", "--port", str(port))
    assert_clean_failure(result, f"127.0.0.1:{port}: cannot listen there", "--port")


def test_a_model_that_is_not_there_is_told_before_it_serves(run_here: Run, tiny: Tiny) -> None:
    result = run_here(*("serve", "--port", "0", "--model", "nope", "--models-dir", tiny.store.root))
    assert_clean_failure(result, "no model 'nope'")


def test_an_address_of_no_machine_is_told(run_here: Run) -> None:
    result = run_here("serve", "--host", "192.0.2.1", "--port", "0", "--token", "x" * 16)
    assert_clean_failure(result, "192.0.2.1:0: cannot listen there")
