"""The files of the page, read from the package once."""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import NamedTuple

from topicml.pages.render import OWN_FOLDER, environment
from topicml.taxonomy import Taxonomy

_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')
_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFile(NamedTuple):
    """A file and what it is."""

    content: bytes
    media_type: str


@functools.cache
def static_files() -> dict[str, StaticFile]:
    """Return the style and the scripts of the page, by name."""
    paths = [*(_HERE / "static").iterdir(), OWN_FOLDER / "look.css"]
    return {
        path.name: StaticFile(path.read_bytes(), f"{_TYPES[path.suffix]}; charset=utf-8")
        for path in sorted(paths)
        if path.suffix in _TYPES
    }


def shell(taxonomy: Taxonomy) -> str:
    """Return the page before its script has filled it."""
    return environment(_HERE / "templates").get_template("review.html").render(taxonomy=taxonomy)


def page_policy(page: str) -> dict[str, str]:
    """Return the headers of a page that was made to stand alone.

    It keeps its own policy, and may not ask this server for anything: its origin is none.
    """
    found = _POLICY.search(page)
    policy = html.unescape(found[1]) if found else "default-src 'none'"
    return {"Content-Security-Policy": f"sandbox allow-scripts; {policy}"}
