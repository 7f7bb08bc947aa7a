"""The formats there are, and which one a file is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from topicml.errors import LabelError
from topicml.labels.exchange import (
    argilla,
    cats,
    doccano,
    fasttext,
    label_studio,
    label_studio_min,
    metadata,
    prodigy,
    table,
)
from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.source import Source
from topicml.labels.records import LabelRecord

Format = Literal[
    "doccano",
    "label-studio",
    "label-studio-min",
    "prodigy",
    "argilla",
    "csv",
    "tsv",
    "cats",
    "fasttext",
]


@dataclass(frozen=True, slots=True)
class ExchangeFormat:
    """A format of annotation tools.

    Attributes:
        suffix: Of its files.
        read: From a file to annotations.
        write: From records and all topics to a file's text.
        claims: Whether an object looks like one of its items; None where it has no objects.
        loses: Fields of a record that it cannot hold.
    """

    suffix: str
    read: Callable[[Source, Columns], Iterator[ForeignAnnotation]]
    write: Callable[[Sequence[LabelRecord], Sequence[str]], str]
    claims: Callable[[dict[str, Any]], bool] | None = None
    loses: tuple[str, ...] = ()


FORMATS: dict[Format, ExchangeFormat] = {
    "doccano": ExchangeFormat(".jsonl", doccano.read, doccano.write, doccano.claims),
    "label-studio": ExchangeFormat(
        *(".json", label_studio.read, label_studio.write, label_studio.claims)
    ),
    "label-studio-min": ExchangeFormat(
        *(".json", label_studio_min.read, label_studio_min.write, label_studio_min.claims)
    ),
    "prodigy": ExchangeFormat(".jsonl", prodigy.read, prodigy.write, prodigy.claims),
    "argilla": ExchangeFormat(".json", argilla.read, argilla.write, argilla.claims),
    "csv": ExchangeFormat(".csv", table.read, table.write_csv),
    "tsv": ExchangeFormat(".tsv", table.read, table.write_tsv),
    "cats": ExchangeFormat(".jsonl", cats.read, cats.write, cats.claims),
    "fasttext": ExchangeFormat(
        ".txt",
        fasttext.read,
        fasttext.write,
        loses=tuple(name for name in metadata.FIELDS if name != "topics"),
    ),
}


def format_by_suffix(path: Path) -> Format:
    """Return the format of a file to be written.

    Raises:
        LabelError: Its suffix is that of none, or of several.
    """
    found = [name for name, known in FORMATS.items() if known.suffix == path.suffix.lower()]
    if len(found) == 1:
        return found[0]
    raise _unclear(path, found or get_args(Format))


def sniff(source: Source) -> Format:
    """Return the format that a file is in, by its suffix where that tells, or by its content.

    Raises:
        LabelError: It could be in several, or in none.
    """
    suffix = source.path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return format_by_suffix(source.path)
    if not source.text.lstrip().startswith(("{", "[")):
        if any(line.startswith(fasttext.MARK) for line in source.text.splitlines()):
            return "fasttext"
        raise _unclear(source.path, ("csv", "tsv", "fasttext"))
    found = [
        name
        for name, known in FORMATS.items()
        if (claims := known.claims) and any(claims(fields) for _, fields in source.objects)
    ]
    if len(found) == 1:
        return found[0]
    raise _unclear(source.path, found or [n for n, f in FORMATS.items() if f.claims])


def _unclear(path: Path, formats: Sequence[str]) -> LabelError:
    return LabelError(
        "the format is not plain",
        where=path,
        hint=f"It could be {', '.join(formats)}: say which with --format.",
    )
