"""``topicml review``."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options, serving
from topicml.errors import InputError
from topicml.io.records import counted
from topicml.project import folder as project

if TYPE_CHECKING:
    from fastapi import APIRouter

    from topicml.review.classifier import Classifier, Workers
    from topicml.review.desk.desk import Desk
    from topicml.review.settings import Settings

_MOST_OPENED = 50
"""Files of a folder that are opened at once; from larger ones they are picked on the page."""

_BODY, _SECONDS = 64_000_000, 120.0


def review(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE|FOLDER]...", help="Articles to open, and folders to pick them from."
        ),
    ] = None,
    labels_dir: Annotated[
        Path | None,
        typer.Option(
            "--labels-dir",
            help="Folder of label files and taxonomy.toml.",
            show_default="data/labels",
        ),
    ] = None,
    models_dir: options.ModelsDir = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="Label file to compare a retrained model by; repeat for more.",
            show_default="all of the folder",
        ),
    ] = None,
    annotator: Annotated[
        str, typer.Option("--annotator", help="Your name, for the record; else the page asks.")
    ] = "",
    host: serving.Host = "127.0.0.1",
    port: serving.Port = 8322,
    token: serving.Token = None,
    allow_host: serving.AllowHost = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the link and open no browser.")
    ] = False,
) -> None:
    """Read articles, correct their tags and retrain, on a page in the browser.

    Prints the link to the page, and opens it. Answers are annotations in the project's label
    files, each on disk before the page says that it is saved; the page goes on where it was left.
    Ctrl-C ends it; a training that runs goes on.

    Example: topicml review data/raw --annotator kim
    """
    settings = serving.server_settings(host, port, token, allow_host, None, models_dir)
    from topicml.review.desk.desk import Desk
    from topicml.review.desk.folders import Folders
    from topicml.review.page.routes import page_router
    from topicml.review.server import run_server

    labels = labels_dir or project.in_project(project.LABELS)
    desk = Desk(
        Folders(
            labels, options.writable_store(models_dir).root, _project_of(labels), tuple(data or ())
        )
    )
    desk.check_model()
    given = paths or []
    _open(desk, given, annotator)
    folders = [path for path in given if path.is_dir()]

    def make(ready: Settings, _: Classifier, workers: Workers) -> APIRouter:
        return page_router(desk, ready, workers, annotator, folders)

    limits = replace(settings.limits, body=_BODY, receive_seconds=_SECONDS)
    kept = settings.token if token else _kept_token(desk.folders.state / "token")
    settings = replace(settings, store=desk.store, token=kept, limits=limits)
    run_server(settings, lambda ready: _announce(ready, no_browser), [make], needs_model=False)


def _project_of(labels: Path) -> Path:
    folder = labels.resolve().parents[len(project.LABELS.parts) - 1]
    return folder if project.is_project(folder) else labels


def _open(desk: Desk, given: list[Path], by: str) -> None:
    from topicml.review.desk.opening import files_in

    files: list[Path] = []
    for path in given:
        if not path.exists():
            raise InputError("no such file or folder", where=path, hint="Check the path.")
        inside = [Path(name) for name in files_in(path)] if path.is_dir() else [path]
        if len(inside) > _MOST_OPENED:
            options.tell(f"{path}: {counted(len(inside), 'file')}, to be picked on the page")
            continue
        files += inside
    for path in files:
        for problem in desk.open_file(path, by)[1]:
            options.tell(f"error: {problem}")


def _kept_token(path: Path) -> str:
    """Return the project's token, so that a link still holds after a restart."""
    path.touch(0o600)
    if not path.read_text("ascii").strip():
        path.write_text(secrets.token_urlsafe(), "ascii")
    return path.read_text("ascii").strip()


def _announce(settings: Settings, no_browser: bool) -> None:
    options.say(settings.link)
    if not no_browser:
        import webbrowser

        webbrowser.open(settings.link)
