"""The application: routes, what stands before them, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from topicml.review.api import SCHEMAS, api_router
from topicml.review.classifier import Classifier, Workers
from topicml.review.problems import answer_problems
from topicml.review.security import Guard
from topicml.review.settings import Settings
from topicml.version import __version__

MakeRouter = Callable[[Settings, Classifier, Workers], APIRouter]
"""Makes further routes, which share models and threads with the API."""


def create_app(settings: Settings, routers: Sequence[MakeRouter] = ()) -> FastAPI:
    """Return the application.

    Args:
        settings: What it is run with.
        routers: Make further routes, such as those of a page. All are behind the same guard.
    """
    app = _Guarded(
        settings,
        title="topicml",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page loads scripts of another server
        redoc_url=None,
    )
    classifier, workers = Classifier(settings), Workers()
    app.state.classifier = classifier
    for make in (api_router, *routers):
        app.include_router(make(settings, classifier, workers))
    answer_problems(app)
    return app


class _Guarded(FastAPI):
    """Has the guard before all else: answers to unexpected errors pass through it, too."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    def build_middleware_stack(self) -> ASGIApp:
        return Guard(super().build_middleware_stack(), self._settings)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API, with what FastAPI does not find out by itself."""
        if self.openapi_schema is None:
            found = super().openapi()
            parts = found.setdefault("components", {})
            parts["schemas"] = {**SCHEMAS, **parts.get("schemas", {})}
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            found["security"] = [{"token": []}]
        return self.openapi_schema or {}
