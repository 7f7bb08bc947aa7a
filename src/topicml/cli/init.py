"""``topicml init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicml.cli import options
from topicml.scheme import Kind, Scheme, is_language


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project.")],
    kind: Annotated[
        Kind,
        typer.Option(help="A text carries none, one or several topics, or exactly one."),
    ] = "multilabel",
    language: Annotated[
        str, typer.Option(help="Code of the texts' language, such as en, de or pt-BR.")
    ] = "en",
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the scheme and its models.", show_default="made of the folder's name"
        ),
    ] = None,
) -> None:
    """Start a project with a label scheme and labels of your own.

    Writes a taxonomy to fill in, examples of labels, and what to do next. Nothing that is there
    is overwritten. All keys of a taxonomy: docs/schemes.md.

    Example: topicml init my-topics --kind multiclass --language de
    """
    from topicml.project.start import start_project

    if not is_language(language):
        raise typer.BadParameter(f"--language {language!r} is not the code of a language, as de")
    for path in start_project(folder, name, Scheme(kind, language)):
        options.say(f"Wrote {path}")
    options.say(f"Go on with {folder / 'README.md'}")
