"""Options that several commands share."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from topicml.errors import LabelError, ModelError
from topicml.io.readers import Format
from topicml.io.records import Fields, ReadOptions
from topicml.models.store import BUNDLED, ENVIRONMENT_VARIABLE, ModelStore, default_store
from topicml.models.tagger import SHARE
from topicml.project import folder as project
from topicml.tagging import tagger
from topicml.text.normalise import printable

_File = TypeVar("_File", str, Path, None)


def named(file: _File) -> _File:
    """Return the name of a file to write, and refuse one that is empty, or - for a path.

    Options that take standard output, too, are strings.
    """
    if file is not None and (not Path(file).name or file == Path("-")):
        raise typer.BadParameter("that is not the name of a file")
    return file


def in_project(context: typer.Context, parameter: typer.CallbackParam, path: Path) -> Path:
    """Look for what is not given in the project that the working directory is in."""
    source = context.get_parameter_source(parameter.name or "")
    is_given = source is None or source.name != "DEFAULT"
    return path if is_given else project.in_project(path)


LABELS_FOLDER = project.LABELS
TAXONOMY = project.TAXONOMY
RAW_FOLDER = project.RAW
ANNOTATIONS_FOLDER = project.ANNOTATIONS

Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="Model name, name@version, or folder.", show_default="the current one"
    ),
]
ModelsDir = Annotated[
    Path | None,
    typer.Option(
        "--models-dir", help="Folder of all models.", show_default="models/, or the shipped ones"
    ),
]
Labels = Annotated[
    list[Path] | None,
    typer.Option("--labels", "-l", help="Label file; repeat for more.", show_default="data/labels"),
]
Taxonomy = Annotated[Path, typer.Option("--taxonomy", callback=in_project, help="Taxonomy file.")]
Raw = Annotated[
    Path, typer.Option("--raw", callback=in_project, help="Folder of the raw articles.")
]
Annotations = Annotated[
    Path, typer.Option("--annotations", callback=in_project, help="Folder of annotations.")
]
ModelName = Annotated[
    str | None, typer.Option("--name", help="Name of the model.", show_default="the taxonomy's")
]
Gate = Annotated[
    Path | None,
    typer.Option(
        "--gate",
        help="File of what a new model must not lose (see docs/retraining.md).",
        show_default="models/NAME/gate.toml, or the built-in one",
    ),
]
By = Annotated[
    Literal["article", "group"],
    typer.Option(
        help="Leave out real documents (one at a time, a fifth where there are more than ten), "
        "or a fifth of all groups."
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")]
Parameters = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        help="JSON file of parameters, as in a model's manifest; "
        "models/NAME/parameters.json, which tune writes, is taken where it exists.",
        show_default="the tuned ones, or the project's own",
    ),
]
Background = Annotated[
    Path | None,
    typer.Option(
        "--background",
        help="Folder of the background model to start from (see distill).",
        show_default="models/NAME/background, where it is there",
    ),
]
NoBackground = Annotated[
    bool, typer.Option("--no-background", help="Start from nothing, as without distill.")
]
BaseFolder = Annotated[
    Path | None,
    typer.Option(
        "--base",
        help="Folder with the files of the network to start from.",
        show_default="what topicml models fetch-base has fetched",
    ),
]
Unit = Annotated[
    tagger.Unit, typer.Option("--unit", help="Split texts into sentences, or take each as one.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Probability from which on a topic is given, whatever the relevance.",
        show_default="the model's own, per topic",
    ),
]
MinPrecision = Annotated[
    float | None,
    typer.Option(
        "--min-precision",
        min=0.0,
        max=1.0,
        help="Give only tags this sure, by the thresholds of the model's cross-validation "
        "(the shipped model has 0.6, 0.7, 0.8, 0.9 and 0.95).",
    ),
]
Relevance = Annotated[
    float | None,
    typer.Option(
        "--relevance",
        min=0.0,
        max=1.0,
        help="Probability of having any topic under which none is given; 0 for no such gate.",
        show_default="the model's own",
    ),
]
SecondOpinion = Annotated[
    str | None,
    typer.Option(
        "--second-opinion",
        metavar="MODEL",
        help="A better and slower model that reads again what the first is unsure of.",
    ),
]
SecondOpinionShare = Annotated[
    float | None,
    typer.Option(
        "--second-opinion-share",
        min=0.0,
        max=1.0,
        help="Share of ordinary sentences that it reads; of rich ones it is more.",
        show_default=f"{SHARE}",
    ),
]
TextField = Annotated[
    list[str] | None,
    typer.Option(
        "--text-field",
        help="Field with the text; of one inside another, OUTER.INNER. Several are joined.",
        show_default="text",
    ),
]
IdField = Annotated[str, typer.Option("--id-field", help="Field with the id.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        help="Fields to carry through, also parts of the path (year=2024/), with commas between; "
        "may be repeated; '*' for all.",
    ),
]
TitleField = Annotated[
    str,
    typer.Option(
        "--title-field", help="Field with a title, read as the first paragraph; '' for none."
    ),
]
RawCells = Annotated[
    bool,
    typer.Option(
        "--raw-cells", help="Write cells of CSV as they are, also what a spreadsheet would run."
    ),
]
InputFormat = Annotated[
    Format | None,
    typer.Option("--input-format", help="Format of inputs.", show_default="by names and content"),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", help="Encoding of inputs.", show_default="found out for each"),
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="Follow links that leave a folder that is read.")
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        help="What separates the columns of CSV and TSV, such as ';' or tab.",
        show_default="found out for each",
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="CSV and TSV have no names: columns are fields 1, 2, 3 …"),
]
AllowPrivate = Annotated[
    bool,
    typer.Option("--allow-private", help="Ask addresses of this machine and its network, too."),
]
Output = Annotated[
    str,
    typer.Option(
        *("--output", "-o"), callback=named, help="File to write to, - for standard output."
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Start over and replace an output that is there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell of no progress.")]


def record_fields(
    text: list[str] | None, identifier: str, title: str, keep: list[str] | None = None
) -> Fields:
    """Return which fields of a record are what."""
    texts = tuple(dict.fromkeys(text or [])) or Fields().texts
    named = texts if len(texts) > 1 else texts[0]
    return Fields(named, identifier, title or None, names(keep, "--keep"))


def read_options(
    fields: Fields,
    encoding: str | None,
    unit: tagger.Unit,
    delimiter: str | None,
    no_header: bool,
) -> ReadOptions:
    """Return how inputs are read, and refuse an encoding or a delimiter that is none."""
    check_encoding(encoding)
    return ReadOptions(
        *(fields, encoding),
        any_text=unit == "sentence",
        delimiter=column_delimiter(delimiter),
        has_header=not no_header,
    )


def names(lists: list[str] | None, option: str) -> tuple[str, ...]:
    """Return the names in comma-separated lists; one with a comma stands in quotes."""
    rows = csv.reader(lists or [], skipinitialspace=True)
    found = tuple(dict.fromkeys(name.strip() for row in rows for name in row if name.strip()))
    if lists and not found:
        raise typer.BadParameter(f"{option} {','.join(lists)!r} names nothing")
    return found


def share_of(second_opinion: str | None, share: float | None) -> float:
    """Return the share that a second model reads, and refuse one without such a model."""
    if share is not None and second_opinion is None:
        raise typer.BadParameter("--second-opinion-share goes with --second-opinion MODEL")
    check_numbers({"--second-opinion-share": share}, "a number from 0 to 1")
    return SHARE if share is None else share


def model_store(models_dir: Path | None) -> ModelStore:
    """Return the store of ``--models-dir``, or the default one."""
    return ModelStore(models_dir) if models_dir else default_store()


def writable_store(models_dir: Path | None) -> ModelStore:
    """Return the store that new versions go to: never the one shipped with the package."""
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    if models_dir or configured:
        return ModelStore(models_dir or Path(configured or ""))
    return ModelStore(project.in_project(project.MODELS))


def model_name(name: str | None, taxonomy: Path) -> str:
    """Return the name given, or the taxonomy's: that is what its models are called."""
    from topicml.taxonomy import load_taxonomy

    return name or load_taxonomy(taxonomy).name


def changeable_store(models_dir: Path | None) -> ModelStore:
    """Return the store in use, whose pointers may be moved: never the one in the package.

    Raises:
        ModelError: The store in use is the one in the package, and nobody asked for it.
    """
    store = model_store(models_dir)
    if models_dir is None and store.root == BUNDLED:
        raise ModelError(
            "these models come with the package, and an update would undo a change here",
            where=BUNDLED,
            hint="Copy the folder to ./models and run the command again, "
            "or say which version to use with --model NAME@VERSION.",
        )
    return store


def tell(note: str) -> None:
    """Say something on standard error, in one line that no name in it can break out of."""
    typer.echo(printable(note), err=True)


def note(line: str) -> None:
    """Say on standard error what is worth knowing and no failure."""
    tell(f"note: {line}")


def say(line: str) -> None:
    """Say what came of a command on standard output, as safely as ``tell``."""
    typer.echo(printable(line))


def topic_list(topics: Iterable[str]) -> str:
    """Return topics as people read them; a dash for none."""
    return ", ".join(topics) or "–"


def label_paths(labels: list[Path] | None, *, finished: bool = True) -> list[Path]:
    """Return the label files given, or all of the default folder; half migrated only if asked."""
    from topicml.labels.migration.history import check_finished

    paths = labels or project_labels()
    if not paths:
        raise LabelError(
            "no label files",
            where=project.in_project(project.LABELS),
            hint="Write .jsonl files there, or give some with --labels.",
        )
    for folder in {path.parent for path in paths} if finished else ():
        check_finished(folder)
    return paths


def project_labels() -> list[Path]:
    """Return the label files of the project that the working directory is in."""
    return sorted(project.in_project(project.LABELS).glob("*.jsonl"))


def background_choice(background: Path | None, none: bool) -> Path | Literal["own"] | None:
    """Return which background model is meant."""
    if background and none:
        raise typer.BadParameter("give --background or --no-background, not both")
    return None if none else background or "own"


def check_thresholds(
    threshold: float | None, min_precision: float | None, relevance: float | None
) -> None:
    """Refuse values that are no numbers, and two ways to say how sure a tag is to be."""
    values = {
        "--threshold": threshold,
        "--min-precision": min_precision,
        "--relevance": relevance,
    }
    check_numbers(values, "a number from 0 to 1")
    if threshold is not None and min_precision is not None:
        raise typer.BadParameter("give --threshold or --min-precision, not both")


def check_numbers(values: Mapping[str, float | None], expected: str = "a number") -> None:
    """Refuse what floats have that is none, which no range keeps out."""
    for name, value in values.items():
        if value is not None and math.isnan(value):
            raise typer.BadParameter(f"{name} {value} is not {expected}")


def column_delimiter(given: str | None) -> str | None:
    """Return a delimiter that was given, and refuse what cannot be one."""
    found = {"tab": "\t", "\\t": "\t"}.get(given or "", given)
    if found is not None and (len(found) != 1 or not found.isascii() or found in '"\r\n'):
        raise typer.BadParameter(f"--delimiter {given!r} is not one character of ASCII, or tab")
    return found


def check_is_file(option: str, path: Path | None) -> None:
    """Refuse an address where only a file will do; as a path it has lost a stroke."""
    if path and path.parts[:1] in {("s3:",), ("gs:",), ("http:",), ("https:",)}:
        raise typer.BadParameter(f"{option} is a file of this machine, and no address")


def check_encoding(encoding: str | None) -> None:
    """Refuse an encoding that Python does not know."""
    try:
        "".encode(encoding or "utf-8")
    except (LookupError, UnicodeError) as err:
        raise typer.BadParameter(
            f"unknown encoding {encoding!r}: use a name such as cp1252 or utf-16"
        ) from err
