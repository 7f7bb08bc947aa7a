"""The routes of the page: each asks the desk, in a thread, and answers with plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from topicml.errors import TopicmlError
from topicml.review.desk.desk import Desk
from topicml.review.page import bodies
from topicml.review.page.files import page_policy, shell, static_files
from topicml.review.page.people import People
from topicml.review.page.picking import Roots
from topicml.review.page.scheme import scheme_fields
from topicml.review.problems import Problem
from topicml.review.settings import Settings
from topicml.review.uploads import uploaded_files

_T = TypeVar("_T")
_Fields = dict[str, Any]


class Threads(Protocol):
    """Runs what takes long in a thread."""

    async def run(self, function: Callable[[], _T]) -> _T:
        """Call a function."""


def page_router(
    desk: Desk, settings: Settings, threads: Threads, annotator: str, given: Sequence[Path]
) -> APIRouter:
    """Return the routes of the page.

    Args:
        desk: Of the project.
        settings: Of the server.
        threads: Where the desk is asked.
        annotator: Who asks where nobody has said so.
        given: Folders to pick articles from.
    """
    people, roots = People(settings, annotator), Roots(given)
    router = APIRouter(include_in_schema=False)
    ask = _Asking(desk, threads)
    _add_page(router)
    _add_articles(router, ask, people, roots)
    _add_places(router, ask, people, roots)
    _add_answers(router, ask, people)
    _add_overviews(router, ask)
    _add_training(router, ask, people)

    @router.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(shell(desk.taxonomy()))

    return router


class _Asking:
    """Asks the desk in a thread; what it refuses becomes a problem."""

    def __init__(self, desk: Desk, threads: Threads) -> None:
        self._desk = desk
        self._threads = threads

    async def __call__(self, question: Callable[[Desk], Any]) -> Response:
        return _json(await self.value(question))

    async def value(self, question: Callable[[Desk], _T]) -> _T:
        try:
            return await self._threads.run(lambda: question(self._desk))
        except TopicmlError as err:
            raise Problem(422, str(err)) from err


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _add_page(router: APIRouter) -> None:
    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        found = static_files().get(name)
        if found is None:
            raise Problem(404, "there is no such file")
        return Response(found.content, media_type=found.media_type)


def _opened(desk: Desk, articles: Sequence[Any], problems: Sequence[str]) -> _Fields:
    return {
        "keys": [article.key for article in articles],
        "problems": list(problems),
        "articles": desk.overview(),
    }


def _add_articles(router: APIRouter, ask: _Asking, people: People, roots: Roots) -> None:
    @router.post("/api/review/files")
    async def files(request: Request) -> Response:
        by = people.need(request)
        sent = await uploaded_files(request, most_files=1000, most_fields=10)
        given = [(name or "article", data) for name, data in sent]

        def open_all(desk: Desk) -> _Fields:
            results = [desk.open_bytes(name, data, by) for name, data in given]
            articles = [article for some, _ in results for article in some]
            return _opened(desk, articles, [line for _, lines in results for line in lines])

        return await ask(open_all)

    @router.post("/api/review/text")
    async def text(request: Request, body: bodies.PastedText) -> Response:
        by = people.need(request)
        return await ask(
            lambda desk: _opened(desk, [desk.open_text(body.title, body.text, by)], [])
        )

    @router.post("/api/review/link")
    async def link(request: Request, body: bodies.Link) -> Response:
        by = people.need(request)
        return await ask(lambda desk: _opened(desk, *desk.open_link(body.url, by)))

    @router.get("/api/review/folder")
    async def folder() -> Response:
        return await ask(lambda _: roots.files())

    @router.post("/api/review/folder")
    async def pick(request: Request, body: bodies.FilePath) -> Response:
        by = people.need(request)
        return await ask(lambda desk: _opened(desk, *desk.open_file(roots.find(body.path), by)))

    @router.post("/api/review/close")
    async def close(request: Request, body: bodies.Key) -> Response:
        people.need(request)

        def put_away(desk: Desk) -> _Fields:
            desk.articles.close(body.key)
            return {"articles": desk.overview()}

        return await ask(put_away)


def _add_places(router: APIRouter, ask: _Asking, people: People, roots: Roots) -> None:
    @router.get("/api/review")
    async def start(request: Request) -> Response:
        name = people.find(request)

        def everything(desk: Desk) -> _Fields:
            place = desk.places.get(name)
            return {
                "scheme": scheme_fields(desk.taxonomy()),
                "annotator": name,
                "view": place.view,
                "at": place.at,
                "articles": desk.overview(),
                "lists": desk.left(),
                "has_folders": roots.is_any,
                "status": desk.status(),
            }

        return await ask(everything)

    @router.post("/api/review/annotator")
    async def annotator(body: bodies.Name, response: Response) -> _Fields:
        return {"annotator": people.remember(response, body.name)}

    @router.post("/api/review/place")
    async def place(request: Request, body: bodies.Here) -> Response:
        name = people.need(request)
        return await ask(lambda desk: {"view": desk.places.move(name, body.view, body.id).view})


def _add_answers(router: APIRouter, ask: _Asking, people: People) -> None:
    @router.get("/api/review/views/{view}")
    async def view(request: Request, view: str) -> Response:
        name = people.find(request)
        return await ask(lambda desk: desk.view(view, name))

    @router.post("/api/review/lists")
    async def make(request: Request, body: bodies.ListOf) -> Response:
        by = people.need(request)

        def begin(desk: Desk) -> Any:
            desk.make(body.name, by)
            return desk.worklists.state(body.name)

        return await ask(begin)

    @router.post("/api/review/answers")
    async def answer(request: Request, body: bodies.GivenAnswer) -> Response:
        name = people.need(request)
        return await ask(lambda desk: desk.answer(body.view, body.id, name, body.topics, body.note))

    @router.post("/api/review/undo")
    async def undo(request: Request) -> Response:
        name = people.need(request)
        return await ask(lambda desk: {"sentence": desk.take_back(name)})


def _add_overviews(router: APIRouter, ask: _Asking) -> None:
    @router.get("/api/review/counts")
    async def counts() -> Response:
        return await ask(lambda desk: desk.counts())

    @router.get("/api/review/status")
    async def status() -> Response:
        return await ask(lambda desk: desk.status())

    @router.get("/api/review/explanation")
    async def explanation(view: str, id: str) -> Response:  # noqa: A002 - the sentence's
        return await ask(lambda desk: desk.explain(view, id))

    @router.get("/report.html")
    async def report() -> HTMLResponse:
        found = await ask.value(lambda desk: desk.report())
        return HTMLResponse(found, headers=page_policy(found))

    @router.get("/api/review/articles.jsonl")
    async def records() -> Response:
        lines = await ask.value(lambda desk: desk.records())
        headers = {"Content-Disposition": 'attachment; filename="articles.jsonl"'}
        return Response(lines, media_type="application/x-ndjson", headers=headers)


def _add_training(router: APIRouter, ask: _Asking, people: People) -> None:
    @router.get("/api/review/training")
    async def state() -> Response:
        return await ask(lambda desk: desk.training.state())

    @router.post("/api/review/training")
    async def start(request: Request) -> Response:
        by = people.need(request)

        def begin(desk: Desk) -> _Fields:
            desk.retrain(by)
            return desk.training.state()

        return await ask(begin)

    @router.post("/api/review/training/cancel")
    async def cancel(request: Request) -> Response:
        people.need(request)

        def end(desk: Desk) -> _Fields:
            desk.training.cancel()
            return desk.training.state()

        return await ask(end)

    @router.post("/api/review/training/decision")
    async def decide(request: Request, body: bodies.Decision) -> Response:
        by = people.need(request)

        def do(desk: Desk) -> _Fields:
            change = desk.training.promote if body.promote else desk.training.keep
            change(body.version, by)
            return desk.training.state()

        return await ask(do)
