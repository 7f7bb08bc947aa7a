"""One self-contained HTML file of a template: style and script inside, nothing loaded.

A page says so itself: by its policy (CSP) a browser loads nothing, and runs and obeys only the
style and the script that were made with it, known by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

OWN_FOLDER = Path(__file__).parent
_LOOK = "look.css"


def render_page(
    template: str,
    values: dict[str, Any],
    *,
    folder: Path = OWN_FOLDER,
    style: str = "",
    script: str = "",
) -> str:
    """Return a page; all that is put into it is text, and escaped.

    Args:
        template: Its name in ``folder``; it extends ``page.html``.
        values: What the template names. ``title`` is the page's.
        folder: Where the template is.
        style: CSS besides what all pages have.
        script: JavaScript that runs when all is there.
    """
    from markupsafe import Markup

    style = (OWN_FOLDER / _LOOK).read_text("utf-8") + style
    inside = {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - the project's own
    return (
        environment(folder)
        .get_template(template)
        .render(values, policy=_policy(style, script), **inside)
    )


@functools.lru_cache
def environment(folder: Path) -> Environment:
    """Return what renders the templates of a folder, and those that all pages share."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([folder, OWN_FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    return made


def _policy(style: str, script: str) -> str:
    sources = [
        f"style-src {_hash_of(style)}",
        *([f"script-src {_hash_of(script)}"] if script else []),
    ]
    parts = [
        "default-src 'none'",
        *sources,
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(parts)


def _hash_of(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
