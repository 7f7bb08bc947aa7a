"""Options of the commands that serve, and the settings that they make."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.errors import TopicmlError
from topicml.io.optional_dependencies import load
from topicml.project import folder as project

if TYPE_CHECKING:
    from topicml.review.settings import Settings

Host = Annotated[
    str,
    typer.Option("--host", help="Address to listen on; one that others reach needs --token."),
]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="TOPICML_TOKEN",
        help="What requests must show; other users can read it here, but not in the variable.",
        show_default="a new one",
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="NAME",
        help="Another name that the server is called by, as behind a proxy; repeat for more.",
    ),
]


def server_settings(
    host: str,
    port: int,
    token: str | None,
    allow_host: list[str] | None,
    model: str | None,
    models_dir: Path | None,
    *,
    ask: bool = True,
) -> Settings:
    """Return what a server is run with; refuse what would leave it open to others.

    Args:
        host: Address to listen on.
        port: See ``Settings``.
        token: That requests must show; None for a new one.
        allow_host: More names of the server.
        model: That is asked where a request names none.
        models_dir: See ``options.model_store``.
        ask: Whether requests must show a token at all.

    Raises:
        MissingExtraError: The extra ``review`` is not installed.
    """
    for package in ("fastapi", "python_multipart", "uvicorn"):
        load(package, "review", "serving")
    from topicml.review.settings import Settings, is_loopback

    is_new = ask and not token and is_loopback(host)
    taxonomy = project.in_project(project.TAXONOMY)
    settings = Settings(
        store=options.model_store(models_dir),
        model=model,
        taxonomy=taxonomy if taxonomy.is_file() else None,
        host=host,
        port=port,
        token=secrets.token_urlsafe() if is_new else token or None,
        names=tuple(allow_host or ()),
    )
    try:
        settings.check()
    except TopicmlError as err:
        raise typer.BadParameter(str(err)) from err
    return settings
