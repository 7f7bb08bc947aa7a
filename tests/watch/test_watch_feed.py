from __future__ import annotations

import contextlib
import datetime
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_watch_run import BOAT, BREAD, FEED, item
from watching import Watching

import topicml.watch.feed as feed
import topicml.watch.linked as linked
from topicml.errors import RemoteError
from topicml.io.records import Fields, ReadOptions
from topicml.io.web import AnswerError, Fetched
from topicml.watch.feed import WebFeed
from topicml.watch.journal import FeedState

EVERY = 900.0


def failure(status=500, retry_after=None):
    error = AnswerError("the server answers so", where="u")
    error.status, error.retry_after = status, retry_after
    return error


def polled(monkeypatch, *answers):
    """Return how long a feed waits after each answer."""
    now = 1000.0
    monkeypatch.setattr(feed.time, "monotonic", lambda: now)
    coming = iter(answers)

    def fetch(_url, **_said):
        answer = next(coming)
        if isinstance(answer, Exception):
            raise answer
        return answer

    made = WebFeed("https://a.example/feed", every=EVERY, fetch=fetch)
    waits = []
    for _ in answers:
        with contextlib.suppress(RemoteError):
            made.poll()
        waits.append(made.due - now)
    return waits


GOOD = Fetched(b"<rss/>", "application/rss+xml", None, "https://a.example/feed", "e", "m")


def test_who_fails_is_left_alone_for_twice_as_long_each_time(monkeypatch):
    waits = polled(monkeypatch, *[failure()] * 3, GOOD, failure())
    assert waits == [2 * EVERY, 4 * EVERY, 8 * EVERY, EVERY, 2 * EVERY]
    waits = polled(monkeypatch, *[RemoteError("no such host") for _ in range(30)])
    assert waits[-1] == 86_400


@pytest.mark.parametrize("status", [429, 503])
def test_who_says_how_long_is_left_alone_for_that_long(monkeypatch, status):
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    waits = polled(
        monkeypatch,
        failure(status, "3600"),
        failure(status, "1"),
        failure(status, format_datetime(at, usegmt=True)),
        failure(status, "nonsense"),
        failure(status, "9" * 30),
    )
    assert waits[:2] == [3600, EVERY]
    assert waits[2] == pytest.approx(7200, abs=30)
    assert waits[3:] == [EVERY, 86_400]


def test_what_is_gone_is_not_asked_for_again(monkeypatch):
    assert polled(monkeypatch, failure(410)) == [float("inf")]


def test_what_the_server_said_is_said_to_it_the_next_time():
    asked = []

    def fetch(_url, **said):
        asked.append((said["etag"], said["last_modified"]))
        return GOOD._replace(is_unchanged=len(asked) > 1)

    made = WebFeed("https://a.example/feed", every=EVERY, fetch=fetch)
    source, state = made.poll()
    assert (source.name, state) == ("https://a.example/feed", FeedState("e", "m"))
    made.state = state
    assert made.poll() is None
    assert asked == [(None, None), ("e", "m")]


class Server(ThreadingHTTPServer):
    """A server of one feed, and what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.status, self.asked = "", 200, []
        self.pages = {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/feed"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("If-None-Match")))
        etag = f'"{hash(server.body)}"'
        if self.path in server.pages:
            return self.answer("text/html", server.pages[self.path])
        if self.path == "/feed":
            self.send_response(302)
            self.send_header("Location", "/moved")
        elif server.status != 200 or self.path == "/none":
            self.send_response(404 if self.path == "/none" else server.status)
        elif self.headers.get("If-None-Match") == etag:
            self.send_response(304)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("ETag", etag)
        body = server.body.encode() if self.path != "/feed" and server.status == 200 else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def answer(self, kind, text):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_a_feed_at_an_address_is_read_politely(server, tiny, tmp_path):
    watching = Watching(tiny, tmp_path)
    options = {"sources": (server.url,), "allow_private": True}
    server.body = FEED.format(item(1, BREAD))
    assert watching.run(**options) == ["n1"]
    assert watching.run(**options) == []
    mark = server.asked[-1][1]
    assert server.asked == [("/feed", None), ("/moved", None), ("/feed", mark), ("/moved", mark)]
    assert mark is not None
    server.body = FEED.format(item(2, BOAT) + item(1, BREAD))
    assert watching.run(**options) == ["n2"]
    server.status = 500
    assert watching.run(**options) == []
    assert "answers 500" in watching.told[0]
    assert "Asked again in 1800 s" in watching.told[0]
    server.status = 200
    assert watching.run(**options) == []
    assert watching.records()[0]["arrived"]["from"] == server.url
    assert watching.run(sources=(server.url,)) == []  # an address of this machine
    assert "--allow-private" in watching.told[0]


def test_a_feed_that_was_cut_off_is_sent_again(server, tiny, tmp_path):
    watching = Watching(tiny, tmp_path)
    options = {"sources": (server.url,), "allow_private": True}
    whole = FEED.format(item(1, BREAD) + item(2, BOAT))
    server.body = whole[: -len("</description></item></channel></rss>") - len(BOAT) // 2]
    assert watching.run(**options)[0] == "n1"
    assert watching.run(**options) == []
    assert server.asked[-1] == ("/moved", None)
    server.body = whole
    assert watching.run(**options) == ["n2"]
    assert watching.run(**options) == []
    assert server.asked[-1][1] is not None


def test_long_addresses_are_feeds_of_their_own():
    first, second = (WebFeed(f"https://a.example/?q={'w' * 300}&n={n}", every=EVERY) for n in "12")
    assert first.name != second.name
    assert WebFeed("https://u:p@a.example/\x1b", every=EVERY).name == "https://a.example/\ufffd"


PAGE = (
    "<html><head><title>Boats</title></head><body><article><h1>Boats</h1>{}</article></body></html>"
)


def test_pages_that_a_feed_links_to_are_tagged_where_that_is_asked(
    server, tiny, tmp_path, monkeypatch
):
    watching = Watching(tiny, tmp_path)
    slept = []
    monkeypatch.setattr(linked.time, "sleep", slept.append)
    host = server.url.removesuffix("/feed")
    told = "".join(f"<p>{BOAT} It was the {n}. day out at sea.</p>" for n in range(12))
    server.pages = {
        "/robots.txt": "User-agent: *\nDisallow: /private",
        "/boats": PAGE.format(told),
        "/private/boats": PAGE.format(told),
    }
    links = ("/boats", "/private/boats", "/none")
    server.body = FEED.format(
        "".join(
            item(n, f"{BREAD} {n}.").replace("<title>", f"<link>{host}{link}</link><title>")
            for n, link in enumerate(links)
        )
    )
    options = {
        "sources": (server.url,),
        "allow_private": True,
        "follow": True,
        "options": ReadOptions(Fields(keep=("url",))),
    }
    assert watching.run(**options) == ["n0", "n1", "n2"]
    topics = [[t["topic"] for t in r["topics"]] for r in watching.records()]
    assert topics == [["sailing"], ["baking"], ["baking"]]
    assert "n1: the feed's own text is tagged" in watching.told[0]
    assert "robots.txt says" in watching.told[0]
    assert len(slept) == 2  # of three questions to one host
    asked = [path for path, _ in server.asked]
    assert asked == ["/feed", "/moved", "/robots.txt", "/boats", "/none"]
    assert "answers 404" in watching.told[1]
    assert watching.run(**options) == []
