"""REST under ``/api``: the records of ``topicml classify --format jsonl`` for other programs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from topicml.errors import InputError, ModelError, RecordError
from topicml.io.readers import parse_block, read_blocks
from topicml.io.readers.fields import make_document
from topicml.io.records import ReadOptions, Reject, make_reject
from topicml.io.sources import Source, format_of
from topicml.review.classifier import Asked, Classifier, Workers, unusable
from topicml.review.problems import Problem, invalid
from topicml.review.settings import Settings
from topicml.text.document import Document

NDJSON = "application/x-ndjson"
_SOURCE = "text"  # of the texts of a request that is no file
_MODEL_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*(@[0-9]+\.[0-9]+\.[0-9]+)?$"

Share = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)]
Given = Sequence[Document | Reject]


class Options(BaseModel):
    """How texts are tagged."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str | None, Field(pattern=_MODEL_NAME, max_length=200)] = None
    unit: Literal["article", "sentence"] = "article"
    threshold: Share = None
    min_precision: Share = None
    relevance: Share = None


class Text(BaseModel):
    """A text to be tagged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    id: str | int | float | None = None
    title: str | None = None


class Texts(BaseModel):
    """Texts to be tagged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[str | Text]


def api_router(settings: Settings, classifier: Classifier, workers: Workers) -> APIRouter:
    """Return the routes under ``/api``."""
    router = APIRouter(prefix="/api")

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Say that the server is there."""
        return {"status": "ok"}

    @router.post("/classify")
    async def classify(request: Request, options: Annotated[Options, Query()]) -> Response:
        """Tag a text, a list of texts, or files."""
        if options.threshold is not None and options.min_precision is not None:
            raise Problem(422, "give threshold or min_precision, not both")
        asked = Asked(**options.model_dump())
        reading = ReadOptions(any_text=asked.unit == "sentence")
        given = await _given(request, reading, settings, workers)
        as_lines = NDJSON in request.headers.get("accept", "")
        answer = await workers.run(lambda: _answer(given, asked, classifier, as_lines))
        return Response(answer, media_type=NDJSON if as_lines else "application/json")

    return router


async def _given(
    request: Request, reading: ReadOptions, settings: Settings, workers: Workers
) -> Given:
    """Return the texts of a request, and rejects in the places of those that cannot be tagged."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        found = _read_json(await request.body(), reading)
    elif kind == "multipart/form-data":
        async with request.form(max_files=10, max_fields=10) as form:
            files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            contents = [(file.filename or "file", await file.read()) for file in files]
        if not contents:
            raise Problem(422, "there is no file in the field 'file'")
        found = await workers.run(
            lambda: [item for name, data in contents for item in _read_file(name, data, reading)]
        )
    else:
        raise Problem(415, "send application/json, or a file as multipart/form-data")
    if len(found) > settings.limits.texts:
        raise Problem(413, f"a request may have {settings.limits.texts:,} texts")
    return found


def _read_json(body: bytes, reading: ReadOptions) -> Given:
    try:
        values = orjson.loads(body)
    except ValueError as err:
        raise Problem(400, f"this is not valid JSON ({err})") from err
    try:
        if isinstance(values, dict) and "texts" in values:
            texts = Texts.model_validate(values).texts
        else:
            texts = [Text.model_validate(values)]
    except ValidationError as err:
        raise invalid(err.errors()) from err
    plain = [{"text": t} if isinstance(t, str) else t.model_dump() for t in texts]
    return [_document(values, reading, number) for number, values in enumerate(plain)]


def _document(values: dict[str, Any], reading: ReadOptions, number: int) -> Document | Reject:
    try:
        return make_document(values, reading, _SOURCE, number + 1, "utf-8", str(number))
    except RecordError as err:
        return make_reject(_SOURCE, number + 1, err, b"")


def _read_file(name: str, data: bytes, reading: ReadOptions) -> Given:
    source = Source(name, None, format_of(name))
    try:
        blocks = read_blocks([source], reading, io.BytesIO(data))
        return [item for block in blocks for item in parse_block(block, reading)]
    except InputError as err:
        raise Problem(422, str(err)) from err


def _answer(given: Given, asked: Asked, classifier: Classifier, as_lines: bool) -> bytes:
    """Tag what can be tagged, and return the answer's bytes."""
    documents = [item for item in given if isinstance(item, Document)]
    if not documents:
        rejects = [_reject(item) for item in given if isinstance(item, Reject)]
        first = rejects[0]["rejected"]["detail"] if rejects else "there is no text in it"
        raise Problem(422, f"nothing to tag: {first}", rejects=rejects)
    try:
        articles = iter(classifier.tag(documents, asked))
    except ModelError as err:
        raise unusable(err) from err
    records = [
        orjson.dumps(_reject(item) if isinstance(item, Reject) else next(articles).to_dict())
        for item in given
    ]
    return b"".join(r + b"\n" for r in records) if as_lines else b"[" + b",".join(records) + b"]"


def _reject(reject: Reject) -> dict[str, Any]:
    said = {"reason": reject.reason, "detail": reject.detail}
    return {"id": reject.id, "source": reject.source, "line": reject.number, "rejected": said}
