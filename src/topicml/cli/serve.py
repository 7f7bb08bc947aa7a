"""``topicml serve``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.io.optional_dependencies import load

if TYPE_CHECKING:
    from topicml.review.settings import Settings


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")
    ] = 8321,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="TOPICML_TOKEN",
            help="What requests must show.",
            show_default="a new one",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="NAME", help="Another name of the server; repeat for more."
        ),
    ] = None,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """Tag texts for other programs, over HTTP.

    Example: topicml serve --port 8321
    """
    load("fastapi", "review", "serving")
    load("uvicorn", "review", "serving")
    from topicml.review.server import run_server
    from topicml.review.settings import Settings

    settings = Settings(
        store=options.model_store(models_dir),
        model=model,
        host=host,
        port=port,
        token=token or secrets.token_urlsafe(),
        names=tuple(allow_host or ()),
    )
    run_server(settings, _announce)


def _announce(settings: Settings) -> None:
    options.say(f"Serving at {settings.address}/api, token {settings.token}")
