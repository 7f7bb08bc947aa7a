"""What the page sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LONGEST_NAME = 100
"""Characters of an annotator's name."""

_Short = Annotated[str, Field(max_length=500)]


class Body(BaseModel):
    """Nothing but what is asked for, in the types that are asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Name(Body):
    """Who somebody is."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Here(Body):
    """Where somebody is."""

    view: _Short
    id: _Short = ""


class PastedText(Body):
    """A text to open."""

    text: str
    title: Annotated[str, Field(max_length=1000)] = ""


class Link(Body):
    """An address to open."""

    url: Annotated[str, Field(max_length=4000)]


class FilePath(Body):
    """A file of the folders that the page was started with."""

    path: Annotated[str, Field(max_length=4000)]


class Key(Body):
    """An opened article."""

    key: _Short


class ListOf(Body):
    """A list to be made."""

    name: Literal["queue", "issues"]


class GivenAnswer(Body):
    """What somebody says of a sentence; ``topics`` is null to leave it undecided."""

    view: _Short
    id: _Short
    topics: Annotated[list[_Short], Field(max_length=1000)] | None
    note: Annotated[str, Field(max_length=10_000)] = ""


class Decision(Body):
    """What becomes of a new version."""

    version: _Short
    promote: bool
