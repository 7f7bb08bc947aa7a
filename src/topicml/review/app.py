"""The application: routes, what stands before them, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

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
    app = FastAPI(
        title="topicml",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page loads scripts of another server
        redoc_url=None,
    )
    classifier, workers = Classifier(settings), Workers(settings.limits.waiting)
    app.state.classifier = classifier
    for make in (api_router, *routers):
        app.include_router(make(settings, classifier, workers))
    answer_problems(app)
    app.openapi = partial(_describe, app)  # type: ignore[method-assign]
    app.add_middleware(Guard, settings=settings)
    return app


def _describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of the API, with what FastAPI does not find out by itself."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            description="Tags texts with topics.",
            routes=app.routes,
        )
        parts = found.setdefault("components", {})
        parts["schemas"] = {**SCHEMAS, **parts.get("schemas", {})}
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
        app.openapi_schema = found
    return app.openapi_schema
