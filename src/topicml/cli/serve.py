"""``topicml serve``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options, serving

if TYPE_CHECKING:
    from topicml.review.settings import Settings


def serve(
    host: serving.Host = "127.0.0.1",
    port: serving.Port = 8321,
    token: serving.Token = None,
    no_token: Annotated[
        bool,
        typer.Option(
            "--no-token", help="Ask for none: all programs and users of this machine may ask."
        ),
    ] = False,
    allow_host: serving.AllowHost = None,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log no requests.")] = False,
) -> None:
    """Tag texts for other programs, over HTTP.

    Prints the address once it is ready, and a token that requests must show. Ctrl-C and SIGTERM
    end it once the requests under way are answered.

    Example: topicml serve --port 8321
    """
    if token and no_token:
        raise typer.BadParameter("give --token or --no-token, not both")
    settings = serving.server_settings(
        host, port, token, allow_host, model, models_dir, ask=not no_token
    )
    from topicml.review.server import run_server

    logging.getLogger("topicml.access").setLevel(logging.WARNING if quiet else logging.INFO)
    is_new = not token and not no_token
    run_server(settings, lambda ready: _announce(ready, show_token=is_new))


def _announce(settings: Settings, *, show_token: bool) -> None:
    options.say(f"{settings.address}/api")
    if show_token:
        options.say(f"token: {settings.token}")
