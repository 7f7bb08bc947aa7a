"""Errors as problem details (RFC 9457), all in one form."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"

_MOST_LISTED = 20


class Problem(HTTPException):
    """A request that is answered with an error.

    Args:
        status: Of HTTP.
        detail: What is wrong, and what to do where that helps.
        headers: Of the answer.
        more: Further fields of the answer.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(status, detail, headers)
        self.more = more


def problem_response(error: HTTPException) -> Response:
    """Return the answer."""
    title = HTTPStatus(error.status_code).phrase
    body = {
        "type": "about:blank",
        "title": title,
        "status": error.status_code,
        "detail": str(error.detail),
        **(error.more if isinstance(error, Problem) else {}),
    }
    headers = dict(error.headers or {})
    return Response(orjson.dumps(body), error.status_code, headers, media_type=PROBLEM_TYPE)


def invalid(errors: Any) -> Problem:
    """Return the problem of a request that is not as it should be, by pydantic's errors."""
    found = [{"where": ".".join(map(str, error["loc"])), "what": error["msg"]} for error in errors]
    first = f"{found[0]['where']}: {found[0]['what']}" if found else "it cannot be read"
    return Problem(422, first, errors=found[:_MOST_LISTED])


def answer_problems(app: FastAPI) -> None:
    """Have an application answer all errors so; unexpected ones stay tracebacks of the server."""

    @app.exception_handler(HTTPException)
    async def _expected(_request: Request, error: HTTPException) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        return problem_response(invalid(error.errors()))

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, _error: Exception) -> Response:
        return problem_response(Problem(500, "an error of the server; its log has the details"))
