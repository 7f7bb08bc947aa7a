"""``topicml classify``."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from topicml.cli.options import ModelOption, ModelsDirOption, model_store
from topicml.errors import InputError
from topicml.files import replacing
from topicml.io.writers.articles import write_csv, write_json, write_jsonl
from topicml.models.folder import open_model
from topicml.scoring.scorer import Scorer
from topicml.tagging.articles import TaggedArticle, classify_documents, thresholds_for_precision
from topicml.text.documents import Document, read_documents

EXIT_SOME_REJECTED = 3


class Format(StrEnum):
    """How tags are written."""

    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"


class Unit(StrEnum):
    """What a text is."""

    ARTICLE = "article"
    SENTENCE = "sentence"


def classify(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER|-]...",
            help="Text files, folders of them, .jsonl files of id and text, or - for stdin.",
            show_default="-",
        ),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", "-f", help="Output format.")
    ] = Format.TABLE,
    unit: Annotated[
        Unit, typer.Option(help="Split texts into sentences, or take each as one.")
    ] = Unit.ARTICLE,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Probability from which on a topic is given.",
            show_default="the model's own, per topic",
        ),
    ] = None,
    min_precision: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Give only tags this sure, by the thresholds of the model's cross-validation.",
        ),
    ] = None,
    model: ModelOption = None,
    models_dir: ModelsDirOption = None,
    encoding: Annotated[str, typer.Option(help="Encoding of text files.")] = "utf-8",
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write to, - for standard output.")
    ] = "-",
) -> None:
    """Tag articles with topics.

    A bad text is reported on standard error and never costs the good ones: exit code 3
    when some texts were rejected, 1 when all were.

    Example: topicml classify data/raw/000_67757e0a190ff99f.txt
    """
    _check_encoding(encoding)
    _check_sureness(threshold, min_precision)
    opened = open_model(model_store(models_dir).find(model))
    thresholds = _thresholds(opened.scorer, threshold, min_precision)
    rejected: list[InputError] = []
    documents = _good_documents(_sources(sources), encoding, rejected)
    articles = classify_documents(
        documents, opened.scorer, opened.reference, unit=unit.value, thresholds=thresholds
    )
    with _writable(output) as out:
        count = _WRITERS[output_format](articles, out)
    if rejected:
        raise typer.Exit(EXIT_SOME_REJECTED if count else 1)


def _check_sureness(threshold: float | None, min_precision: float | None) -> None:
    for name, value in (("--threshold", threshold), ("--min-precision", min_precision)):
        if value is not None and math.isnan(value):
            raise typer.BadParameter(f"{name} {value} is not a number from 0 to 1")
    if threshold is not None and min_precision is not None:
        raise typer.BadParameter("give --threshold or --min-precision, not both")


def _thresholds(
    scorer: Scorer, threshold: float | None, min_precision: float | None
) -> NDArray[np.float64] | None:
    if threshold is not None:
        return np.full(len(scorer.topics), threshold)
    return None if min_precision is None else thresholds_for_precision(scorer, min_precision)


def _sources(sources: list[str] | None) -> list[str]:
    if sources:
        return sources
    if sys.stdin.isatty():
        raise typer.BadParameter("give a file, a folder, or - for standard input")
    return ["-"]


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError) as err:
        raise typer.BadParameter(
            f"unknown encoding {encoding!r}: use a name such as cp1252 or utf-16"
        ) from err


def _good_documents(
    sources: list[str], encoding: str, rejected: list[InputError]
) -> Iterator[Document]:
    for item in read_documents(sources, sys.stdin.buffer, encoding):
        if isinstance(item, InputError):
            rejected.append(item)
            typer.echo(f"error: {item}", err=True)
        else:
            yield item


def _writable(output: str) -> AbstractContextManager[IO[str]]:
    if output == "-":
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        return nullcontext(sys.stdout)
    return replacing(Path(output))


def _write_table(articles: Iterable[TaggedArticle], out: IO[str]) -> int:
    from topicml.cli.render import render_article  # rich takes long to import

    count = 0
    for count, article in enumerate(articles, start=1):  # noqa: B007 - the count is the result
        render_article(article, out)
    return count


_WRITERS: dict[Format, Callable[[Iterable[TaggedArticle], IO[str]], int]] = {
    Format.TABLE: _write_table,
    Format.JSONL: write_jsonl,
    Format.JSON: write_json,
    Format.CSV: write_csv,
}
