"""Who asks: a name that each browser keeps in a cookie of its own."""

from __future__ import annotations

from urllib.parse import quote, unquote

from fastapi import Request, Response

from topicml.review.page.bodies import LONGEST_NAME
from topicml.review.problems import Problem
from topicml.review.settings import Settings

_YEAR = 365 * 24 * 3600


class People:
    """The names of those who use the page.

    Args:
        settings: Of the server.
        name: Of whoever has not said another one; empty for nobody.
    """

    def __init__(self, settings: Settings, name: str = "") -> None:
        self._cookie = f"{settings.cookie}-annotator"
        self._name = name

    def find(self, request: Request) -> str:
        """Return who asks; empty where nobody has said so."""
        return unquote(request.cookies.get(self._cookie, ""))[:LONGEST_NAME] or self._name

    def need(self, request: Request) -> str:
        """Return who asks.

        Raises:
            Problem: Nobody has said so.
        """
        if name := self.find(request):
            return name
        raise Problem(409, "say who you are first")

    def remember(self, response: Response, name: str) -> str:
        """Let a browser keep a name, and return it as it is kept.

        Raises:
            Problem: It is no name.
        """
        plain = " ".join(name.split())
        if not plain or not plain.isprintable():
            raise Problem(422, "that is no name")
        response.set_cookie(
            self._cookie, quote(plain), max_age=_YEAR, httponly=True, samesite="strict"
        )
        return plain
