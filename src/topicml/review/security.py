"""What stands before the application: who may ask, from where, and how much.

An application for this machine alone is still reached by every page that its user's browser
shows. So requests must show a token, or the cookie that stands for it; must call the server by a
name of its own, since a page's server may rename itself to this machine (DNS rebinding); and must
come from its own pages where they change anything.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from topicml.review.problems import Problem, problem_response
from topicml.review.settings import Names, Settings

HEALTH = "/api/health"
"""Answers whoever asks: it says no more than that the server is there."""

_READS = {"GET", "HEAD"}
_MOST_DIGITS = 20  # of a length
_OWN_SITE = {"same-origin", "none"}
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of all answers that do not say otherwise themselves."""


class Guard:
    """ASGI middleware that answers what may not be asked, and limits what comes in.

    Args:
        app: The application.
        settings: Of the server.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._names = Names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        try:
            headers = Headers(scope=scope)
            self._check_name(headers)
            self._check_origin(scope["method"], headers)
            if answer := self._let_in(scope, headers):
                await answer(scope, receive, send)
                return
            body = Body(receive, headers, self._settings)
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, body.receive, send)

    def _check_name(self, headers: Headers) -> None:
        names = headers.getlist("host")
        if len(names) != 1 or not self._names.hold(names[0]):
            raise Problem(
                421,
                "the server is not called that; start it with --allow-host NAME where it is to be",
            )

    def _check_origin(self, method: str, headers: Headers) -> None:
        """Refuse what another page asks to be changed."""
        if method in _READS:
            return
        if any(_host_of(origin) != headers["host"].lower() for origin in headers.getlist("origin")):
            raise Problem(403, "a page of another origin may not ask for this")
        if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            raise Problem(403, "a page of another site may not ask for this")

    def _let_in(self, scope: Scope, headers: Headers) -> Response | None:
        """Check token or cookie; return the answer that sets the cookie where a link has it."""
        if self._settings.token is None or scope["path"] == HEALTH:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] in _READS and "token" in dict(query):
            return self._welcome(scope, query)
        if self._shows_token(headers) or self._has_cookie(headers):
            return None
        raise Problem(
            401,
            "open the link that the server printed at its start, or send its token as "
            "'Authorization: Bearer TOKEN'",
            {"WWW-Authenticate": "Bearer"},
        )

    def _welcome(self, scope: Scope, query: Sequence[tuple[str, str]]) -> Response:
        if not _equal(dict(query)["token"], self._settings.token or ""):
            raise Problem(
                401,
                "the link is an old one: open the one that was printed last",
                {"WWW-Authenticate": "Bearer"},
            )
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        path = "/" + path.lstrip("/\\")  # of this server, whatever it begins with
        answer = Response(status_code=303, headers={"Location": path + (rest and f"?{rest}")})
        answer.set_cookie(
            self._settings.cookie,
            self._settings.cookie_value,
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return answer

    def _shows_token(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and _equal(token.strip(), self._settings.token or "")

    def _has_cookie(self, headers: Headers) -> bool:
        values = _cookies(headers.getlist("cookie"), self._settings.cookie)
        return any(_equal(value, self._settings.cookie_value) for value in values)


class Body:
    """The body of a request as it comes in, counted and timed.

    Args:
        receive: Where it comes from.
        headers: Of the request.
        settings: With the limits.

    Raises:
        Problem: It says itself that it is too large.
    """

    def __init__(self, receive: Receive, headers: Headers, settings: Settings) -> None:
        self._receive = receive
        self._most = settings.limits.body
        self._seconds = settings.limits.receive_seconds
        self._deadline: float | None = None
        self._count = 0
        self._ended = False
        said = headers.get("content-length", "")
        if said.isdecimal() and (len(said) > _MOST_DIGITS or int(said) > self._most):
            raise self._too_large()

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            Problem: It is too large, takes too long, or ends too early.
        """
        if self._ended:  # what comes now is that the other side went away
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as err:
            raise Problem(
                408, f"the request took more than {self._seconds:g} seconds to come in"
            ) from err
        if message["type"] == "http.disconnect":
            raise Problem(400, "the request ended before its body did")
        self._count += len(message.get("body", b""))
        if self._count > self._most:
            raise self._too_large()
        self._ended = not message.get("more_body", False)
        return message

    def _too_large(self) -> Problem:
        return Problem(413, f"a request may have {self._most:,} bytes")


def _host_of(origin: str) -> str | None:
    """Return the host and port of an origin; None where there is none, as in ``null``."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in {"http", "https"} else None


def _with_headers(send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_more


def _cookies(lines: Iterable[str], name: str) -> Iterator[str]:
    for part in ";".join(lines).split(";"):
        own, _, value = part.strip().partition("=")
        if own == name:
            yield value.strip('"')


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))
