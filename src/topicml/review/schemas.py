"""What the API takes and gives, as its OpenAPI description has it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_MODEL_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*(@[0-9]+\.[0-9]+\.[0-9]+)?$"
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Probability = Annotated[float, Field(ge=0, le=1)]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ModelChoice(BaseModel):
    """Which model is asked."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[
        str | None,
        Field(
            pattern=_MODEL_NAME,
            max_length=200,
            description="`name` or `name@version`, of `/api/models`; else the server's own.",
        ),
    ] = None


class Options(ModelChoice):
    """How texts are tagged; as the options of ``topicml classify``."""

    unit: Annotated[
        Literal["article", "sentence"],
        Field(description="Split texts into sentences, or take each as one."),
    ] = "article"
    threshold: Annotated[
        _Share | None, Field(description="Probability from which on a topic is given.")
    ] = None
    min_precision: Annotated[
        _Share | None, Field(description="Give only tags this sure; not with `threshold`.")
    ] = None
    relevance: Annotated[
        _Share | None,
        Field(description="Probability of having any topic under which none is given."),
    ] = None


class Text(_Taken):
    """A text to be tagged."""

    text: str
    id: Annotated[
        str | int | float | None, Field(description="Of the record; else its place, from 0.")
    ] = None
    title: Annotated[str | None, Field(description="Read as the first paragraph.")] = None


class Texts(_Taken):
    """Texts to be tagged."""

    texts: list[str | Text]


class Files(BaseModel):
    """Files of any format that ``topicml classify`` reads."""

    file: Annotated[
        list[Annotated[str, Field(json_schema_extra={"format": "binary"})]], Field(min_length=1)
    ]


class TopicOfRecord(BaseModel):
    """A topic of a text: its highest probability, and the sentences that have it."""

    topic: str
    probability: _Probability
    sentences: list[int]


class SentenceOfRecord(BaseModel):
    """A sentence of a text; ``start`` and ``end`` count characters."""

    index: int
    start: int
    end: int
    text: str
    topics: list[str]
    reason: str | None
    relevance: _Probability
    probabilities: dict[str, _Probability]


class Record(BaseModel):
    """A tagged text, as ``topicml classify --format jsonl`` writes it."""

    id: str
    model: str
    topics: list[TopicOfRecord]
    reason: str | None
    sentences: list[SentenceOfRecord]


class Why(BaseModel):
    """Why a text was not tagged; docs/output.md lists the reasons."""

    reason: str
    detail: str


class Rejected(BaseModel):
    """In the place of a text that cannot be tagged."""

    id: str | None
    source: str
    line: int
    rejected: Why


class TopicDescription(BaseModel):
    """A topic of a model; name and definition where the server has the label scheme."""

    id: str
    name: str | None
    definition: str | None
    threshold: _Probability


class Topics(BaseModel):
    """The topics of a model, in the order of its columns."""

    model: str
    topics: list[TopicDescription]


class Figures(BaseModel):
    """How good a version is by its own evaluation: only figures of one test set compare."""

    micro_f1: float | None
    macro_average_precision: float | None
    sentences: int | None
    documents: int | None
    test_set: str | None


class Version(BaseModel):
    """A version of a model; only ``error`` says more where it is damaged."""

    version: str
    is_current: bool
    created: str | None = None
    kind: str | None = None
    sentences: Annotated[int | None, Field(description="It learned from.")] = None
    evaluation: Figures | None = None
    error: str | None = None


class NamedModel(BaseModel):
    """A model by its name, and its versions, oldest first."""

    name: str
    current: str | None
    versions: list[Version]


class Models(BaseModel):
    """The models that can be asked for; ``default`` is asked where a request names none."""

    default: str | None
    models: list[NamedModel]


class Health(BaseModel):
    """The server is there."""

    status: Literal["ok"] = "ok"


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    errors: Annotated[
        list[dict[str, str]] | None, Field(description="What is wrong with the request, and where.")
    ] = None
    rejects: Annotated[
        list[Rejected] | None, Field(description="All texts, where none can be tagged.")
    ] = None
