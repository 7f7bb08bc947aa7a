"""``topicml compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from topicml.cli import options
from topicml.errors import LabelError, TopicmlError
from topicml.files import check_outputs, write_text
from topicml.models.store import BUNDLED, ModelStore

if TYPE_CHECKING:
    from topicml.models.compare import Comparison

EXIT_REFUSED = 4
"""The new model does not keep a limit of the gate."""


def compare(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="Name (its current version), name@version or folder."),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The model to take its place, named likewise.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data", help="Label file to judge by; repeat for more.", show_default="data/labels"
        ),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            "--labels",
            "-l",
            help="Label file that a model may have been trained on, such as an earlier state; "
            "repeat for more.",
            show_default="data/labels",
        ),
    ] = None,
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen", help="Leave out sentences that a model is known to be trained on."
        ),
    ] = False,
    gate: options.Gate = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    models_dir: options.ModelsDir = None,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    flips: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="List so many sentences whose topics changed.",
            show_default="0 in the table, all in JSON and HTML",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(callback=options.named, help="Also write a report here, as one HTML file."),
    ] = None,
    force: options.Force = False,
) -> None:
    """Compare two models on the same labels, and say whether the new one may replace the old.

    Exit code 4 when it loses more than the gate allows. What comes of two versions of one name is
    noted beside them, for topicml models promote.

    Example: topicml compare alliance-topics@1.2.0 alliance-topics@1.3.0
    """
    from topicml.cli.render_comparison import comparison_page, render_comparison
    from topicml.models.compare import compare_models
    from topicml.models.gate import gate_of
    from topicml.models.proven import open_for_use

    store = options.model_store(models_dir)
    project = options.project_labels()
    judged = data or project
    if not judged:
        raise LabelError("no label files", hint="Give one or more .jsonl files with --data.")
    known = [*(labels or ()), *project]
    read = [path for path in (*judged, *known, taxonomy, gate) if path]
    check_outputs([html] if html else [], [*read, *_kept(store.root, html)], force=force)
    before, after = (open_for_use(store.find(name), options.note) for name in (old, new))
    comparison = compare_models(
        *(before, after, judged, taxonomy),
        at_hand=known,
        gate=gate_of(store, after.manifest["name"], gate),
        unseen=unseen,
        on_note=options.tell,
    )
    for caution in comparison.cautions:
        options.note(caution)
    fields = comparison.to_dict(flips)
    if html:
        write_text(html, comparison_page(fields))
    if output_format == "json":
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        render_comparison(comparison.to_dict(flips or 0))
    _record(comparison, store)
    if comparison.verdict != "ok":
        raise typer.Exit(EXIT_REFUSED)


def _kept(root: Path, html: Path | None) -> list[Path]:
    """Return a file of the models' folder that a report would replace: versions never change."""
    is_inside = html is not None and html.resolve().is_relative_to(root.resolve())
    return [html] if html and is_inside and html.exists() else []


def _record(comparison: Comparison, store: ModelStore) -> None:
    """Note the comparison in the store; one that cannot be written to costs no figures."""
    from topicml.models.compare import record_in_store

    if store.root == BUNDLED:
        return
    try:
        record_in_store(comparison, store)
    except TopicmlError as err:
        options.note(f"not noted for topicml models promote: {err}")
