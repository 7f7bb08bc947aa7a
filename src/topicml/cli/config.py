"""Options of a command from a TOML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from topicml.errors import TopicmlError, did_you_mean
from topicml.text.normalise import printable
from topicml.toml import read_toml

_SWITCH = "true or false", (bool,)
_NUMBERS = {"int": ("a whole number", (int,)), "float": ("a number", (int, float))}
_TEXT = "text", (str, int)  # --max-rejects 100


def take_defaults(context: typer.Context, path: Path | None) -> Path | None:
    """Make what a file says the defaults of a command: what is given on its line wins.

    Keys are the long names of options without dashes, and the names of arguments.

    Raises:
        typer.BadParameter: The file cannot be read, or says what the command does not take.
    """
    if path and not context.resilient_parsing:
        known = {
            max(parameter.opts, key=len).lstrip("-"): parameter
            for parameter in context.command.params
            if not parameter.is_eager
        }
        try:
            context.default_map = {
                _known(key, known).name: _checked(context, key, known[key], value)
                for key, value in read_toml(path, TopicmlError).items()
            }
        except TopicmlError as err:
            raise typer.BadParameter(printable(f"{path}: {err.what}")) from None
        except typer.BadParameter as err:
            raise typer.BadParameter(printable(f"{path}: {err.message}")) from None
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        callback=take_defaults,
        is_eager=True,
        help="TOML file of these options, without the dashes; the command line wins.",
        show_default=False,
    ),
]


def _known(key: str, known: dict[str, Any]) -> Any:
    if key not in known:
        raise typer.BadParameter(
            f"unknown key {key!r}. {did_you_mean(key, known)}Known keys: {', '.join(known)}"
        )
    return known[key]


def _checked(context: typer.Context, key: str, parameter: Any, value: Any) -> Any:
    """Return a value as the command line would have it, after the checks that it would get."""
    expected, types = _expected(parameter)
    takes_several = parameter.multiple or parameter.nargs == -1
    values = value if takes_several and isinstance(value, list) else [value]
    if not all(type(each) in types for each in values):
        several = ", or a list of it" if takes_several else ""
        shown = json.dumps(value, ensure_ascii=False, default=str)
        raise typer.BadParameter(f"{key} = {shown} is not {expected}{several}")
    if any(isinstance(each, str) and "\0" in each for each in values):
        raise typer.BadParameter(f"{key} has a null character")
    given = values if takes_several else value
    try:
        parameter.type_cast_value(context, given)
    except typer.BadParameter as err:
        raise typer.BadParameter(f"{key}: {err.message}") from None
    return given


def _expected(parameter: Any) -> tuple[str, tuple[type, ...]]:
    """Return what a parameter takes in TOML, in words and as types."""
    if getattr(parameter, "is_flag", False):
        return _SWITCH
    return next(
        (of for name, of in _NUMBERS.items() if parameter.type.name.startswith(name)), _TEXT
    )
