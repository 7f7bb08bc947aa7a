"""The files of the page, read from the package once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

from topicml.taxonomy import Taxonomy

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFile(NamedTuple):
    """A file and what it is."""

    content: bytes
    media_type: str


@functools.cache
def static_files() -> dict[str, StaticFile]:
    """Return the style and the scripts of the page, by name."""
    return {
        path.name: StaticFile(path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8")
        for path in sorted((_HERE / "static").iterdir())
        if path.suffix in _TYPES
    }


def shell(taxonomy: Taxonomy) -> str:
    """Return the page before its script has filled it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("review.html").render(taxonomy=taxonomy)
