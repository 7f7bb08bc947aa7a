"""Options that ``classify`` and ``batch`` share: what is read, and what is given."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from topicml.io.readers import Format
from topicml.io.records import Fields
from topicml.tagging.tagger import Unit

UnitOption = Annotated[
    Unit, typer.Option("--unit", help="Split texts into sentences, or take each as one.")
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Probability from which on a topic is given, whatever the relevance.",
        show_default="the model's own, per topic",
    ),
]
MinPrecisionOption = Annotated[
    float | None,
    typer.Option(
        "--min-precision",
        min=0.0,
        max=1.0,
        help="Give only tags this sure, by the thresholds of the model's cross-validation "
        "(the shipped model has 0.6, 0.7, 0.8, 0.9 and 0.95).",
    ),
]
RelevanceOption = Annotated[
    float | None,
    typer.Option(
        "--relevance",
        min=0.0,
        max=1.0,
        help="Probability of having any topic under which none is given; 0 for no such gate.",
        show_default="the model's own",
    ),
]
TextFieldOption = Annotated[str, typer.Option("--text-field", help="Field with the text.")]
IdFieldOption = Annotated[str, typer.Option("--id-field", help="Field with the id.")]
TitleFieldOption = Annotated[
    str,
    typer.Option(
        "--title-field", help="Field with a title, read as the first paragraph; '' for none."
    ),
]
InputFormatOption = Annotated[
    Format | None,
    typer.Option("--input-format", help="Format of inputs.", show_default="by names and content"),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="Encoding of inputs.", show_default="found out for each"),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Start over and replace an output that is there.")
]


def make_fields(text: str, id: str, title: str, keep: tuple[str, ...] = ()) -> Fields:  # noqa: A002
    """Return which fields are what."""
    return Fields(text, id, title or None, keep)


def check_thresholds(
    threshold: float | None, min_precision: float | None, relevance: float | None
) -> None:
    """Refuse values that are no numbers, and two ways to say how sure a tag is to be."""
    values = {
        "--threshold": threshold,
        "--min-precision": min_precision,
        "--relevance": relevance,
    }
    for name, value in values.items():
        if value is not None and math.isnan(value):
            raise typer.BadParameter(f"{name} {value} is not a number from 0 to 1")
    if threshold is not None and min_precision is not None:
        raise typer.BadParameter("give --threshold or --min-precision, not both")


def check_encoding(encoding: str | None) -> None:
    """Refuse an encoding that Python does not know."""
    try:
        "".encode(encoding or "utf-8")
    except (LookupError, UnicodeError) as err:
        raise typer.BadParameter(
            f"unknown encoding {encoding!r}: use a name such as cp1252 or utf-16"
        ) from err
