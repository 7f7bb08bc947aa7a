"""The application: routes, what stands before them, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI

from topicml.review.api import api_router
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
    app.add_middleware(Guard, settings=settings)
    return app
