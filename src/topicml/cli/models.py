"""``topicml models``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from topicml.cli.options import ModelsDirOption, model_store
from topicml.errors import ModelError
from topicml.models.folder import CARD, check_file, read_manifest, verify_model

app = typer.Typer(help="The models there are.", no_args_is_help=True)


@app.command("list")
def list_models(models_dir: ModelsDirOption = None) -> None:
    """List all models and versions; the current one of each is marked.

    Example: topicml models list
    """
    from topicml.cli.render import render_rows

    store = model_store(models_dir)
    rows = []
    for name in store.names():
        for version in store.versions(name):
            manifest = read_manifest(store.path(name, version))
            headlines = manifest["metrics"]["evaluation"]["headlines"]
            rows.append(
                (
                    name,
                    version,
                    "current" if version == store.current(name) else "",
                    manifest["created"],
                    manifest["labels"]["sentences"],
                    headlines["micro_f1"]["value"],
                    headlines["macro_average_precision"]["value"],
                )
            )
    columns = ("model", "version", "", "made", "sentences", "micro F1", "macro AP")
    render_rows(columns, rows)


@app.command()
def show(
    model: Annotated[
        str | None,
        typer.Argument(help="Name, name@version, or folder.", show_default="the current one"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
    models_dir: ModelsDirOption = None,
) -> None:
    """Show where a model comes from and how good it is.

    Example: topicml models show alliance-topics
    """
    path = model_store(models_dir).find(model)
    manifest = read_manifest(path)
    if as_json:
        typer.echo(json.dumps(manifest, indent=2, ensure_ascii=False))
        return
    check_file(path, CARD, manifest)
    typer.echo((path / CARD).read_text(encoding="utf-8"))


@app.command()
def verify(
    model: Annotated[
        str | None,
        typer.Argument(help="Name, name@version, or folder.", show_default="all models"),
    ] = None,
    models_dir: ModelsDirOption = None,
) -> None:
    """Check a model's files by hash and recompute its golden sentences.

    Example: topicml models verify
    """
    store = model_store(models_dir)
    everything = [store.path(name, v) for name in store.names() for v in store.versions(name)]
    damaged = 0
    for path in [store.find(model)] if model or not everything else everything:
        try:
            verified = verify_model(path)
        except ModelError as err:
            damaged += 1
            typer.echo(f"error: {err}", err=True)
        else:
            typer.echo(f"{verified.reference}: all files and golden sentences as made ({path})")
    if damaged:
        raise typer.Exit(1)
