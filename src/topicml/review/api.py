"""REST under ``/api``: the records of ``topicml classify --format jsonl`` for other programs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from topicml.errors import TopicmlError
from topicml.io.records import Reject
from topicml.review.batches import Batches
from topicml.review.catalogue import describe_topics, list_models
from topicml.review.classifier import Asked, Classifier, Workers
from topicml.review.problems import PROBLEM_TYPE, Problem
from topicml.review.schemas import (
    Files,
    Health,
    ModelChoice,
    Models,
    Options,
    ProblemDetails,
    Record,
    Rejected,
    Text,
    Texts,
    Topics,
)
from topicml.review.settings import Settings
from topicml.review.texts import File, Given, TextReader
from topicml.review.uploads import uploaded_files
from topicml.tagging.articles import TaggedArticle
from topicml.text.document import Document
from topicml.text.normalise import printable

NDJSON = "application/x-ndjson"

_LOG = logging.getLogger(__name__)
_REF = "#/components/schemas/{model}"
_MOST_FILES = 100
_SHORT = 100_000  # bytes that the event loop reads as fast as it would hand them on
_DESCRIBED = (Text, Texts, Files, Record, Rejected, ProblemDetails)
SCHEMAS: dict[str, Any] = models_json_schema(
    [(model, "validation") for model in _DESCRIBED], ref_template=_REF
)[1]["$defs"]
"""What the descriptions of the routes refer to, by name, and FastAPI does not find by itself."""


def _either(*models: type[BaseModel]) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    return refs[0] if len(refs) == 1 else {"anyOf": refs}


_PROBLEM = {
    "description": "What is wrong, as problem details (RFC 9457).",
    "content": {PROBLEM_TYPE: {"schema": _either(ProblemDetails)}},
}
_ANSWER = {
    "description": "A record for each text, in order; of one that cannot be tagged, why.",
    "content": {
        "application/json": {"schema": {"type": "array", "items": _either(Record, Rejected)}},
        NDJSON: {"schema": {"type": "string"}},
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": _either(Text, Texts)},
        "multipart/form-data": {"schema": _either(Files)},
    },
}


def api_router(settings: Settings, classifier: Classifier, workers: Workers) -> APIRouter:
    """Return the routes under ``/api``."""
    router = APIRouter(
        prefix="/api", responses={"default": _PROBLEM}, dependencies=[Depends(_each_option_once)]
    )

    @router.get("/health", openapi_extra={"security": []})
    async def health() -> Health:
        """Say that the server is there; the only path that asks for no token."""
        return Health()

    @router.get("/models")
    async def models() -> Models:
        """List models and versions, with the figures of their own evaluations."""
        return await workers.run(
            lambda: Models(default=_default(classifier), models=list_models(settings.store))
        )

    @router.get("/topics")
    async def topics(choice: Annotated[ModelChoice, Query()]) -> Topics:
        """List the topics of a model, and the probabilities from which on they are given."""
        with _about_model(is_named=choice.model is not None):
            return await workers.run(
                lambda: describe_topics(classifier.model(choice.model), settings.taxonomy)
            )

    _add_classify(router, settings, classifier, workers)
    return router


def _add_classify(
    router: APIRouter, settings: Settings, classifier: Classifier, workers: Workers
) -> None:
    batches = Batches(classifier, workers, settings.limits.waiting)

    @router.post(
        "/classify",
        response_class=Response,
        responses={200: _ANSWER},
        openapi_extra={"requestBody": _BODY},
    )
    async def classify(request: Request, options: Annotated[Options, Query()]) -> Response:
        """Tag a text, a list of texts, or files.

        The records are those of `topicml classify --format jsonl`: an array of them, or lines
        where `application/x-ndjson` is accepted.
        """
        if options.threshold is not None and options.min_precision is not None:
            raise Problem(422, "give threshold or min_precision, not both")
        body = await _body(request)
        as_lines = NDJSON in request.headers.get("accept", "")
        reader = TextReader(settings.limits, any_text=options.unit == "sentence")
        given = await _read(body, reader, workers)
        documents = _documents(given)
        asked = Asked(**options.model_dump())
        with _about_model(is_named=asked.model is not None or asked.min_precision is not None):
            answer = await batches.tag(
                documents, asked, lambda articles: _answer(given, articles, as_lines)
            )
        return Response(answer, media_type=NDJSON if as_lines else "application/json")


def _default(classifier: Classifier) -> str | None:
    try:
        return classifier.model().reference
    except TopicmlError:
        return None


@contextmanager
def _about_model(*, is_named: bool) -> Iterator[None]:
    """Answer that a model, or what was asked of it, cannot be had; paths stay in the log."""
    try:
        yield
    except TopicmlError as err:
        _LOG.warning("%s", printable(str(err)))
        raise Problem(422 if is_named else 503, f"model: {err.what}") from err


async def _each_option_once(request: Request) -> None:
    if len(request.query_params.multi_items()) != len(request.query_params):
        raise Problem(422, "an option is given twice")


async def _body(request: Request) -> bytes | list[File]:
    """Return the JSON of a request, or its files."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await request.body()
    if kind != "multipart/form-data":
        raise Problem(415, "send application/json, or files as multipart/form-data")
    files = await uploaded_files(request, most_files=_MOST_FILES, most_fields=_MOST_FILES)
    return [File(name or "file", data) for name, data in files]


async def _read(body: bytes | list[File], reader: TextReader, workers: Workers) -> Given:
    if isinstance(body, list):
        return await workers.run(lambda: reader.read_files(body))
    if len(body) > _SHORT:
        return await workers.run(lambda: reader.read_json(body))
    return reader.read_json(body)


def _documents(given: Given) -> list[Document]:
    """Return what can be tagged.

    Raises:
        Problem: Nothing can.
    """
    documents = [item for item in given if isinstance(item, Document)]
    if not documents:
        rejects = [_reject(item) for item in given if isinstance(item, Reject)]
        why = rejects[0]["rejected"]["detail"] if rejects else "there is no text in it"
        raise Problem(422, f"nothing to tag: {why}", rejects=rejects)
    return documents


def _answer(given: Given, articles: Sequence[TaggedArticle], as_lines: bool) -> bytes:
    """Return the bytes of the answer, each article in its text's place."""
    left = iter(articles)
    records = [
        orjson.dumps(_reject(item) if isinstance(item, Reject) else next(left).to_dict())
        for item in given
    ]
    return b"".join(r + b"\n" for r in records) if as_lines else b"[" + b",".join(records) + b"]"


def _reject(reject: Reject) -> dict[str, Any]:
    said = {"reason": reject.reason, "detail": reject.detail}
    return {"id": reject.id, "source": reject.source, "line": reject.number, "rejected": said}
