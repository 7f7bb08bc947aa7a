"""``topicml labels``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicml.cli import options
from topicml.files import write_text

app = typer.Typer(help="The label store.", no_args_is_help=True)


@app.command()
def check(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    raw: Annotated[Path, typer.Option(help="Folder of the raw articles.")] = options.RAW_FOLDER,
) -> None:
    """Check label files: topics, ids, offsets, contradictions, duplicates, near-duplicates.

    Example: topicml labels check
    """
    from topicml.labels.checks import check_labels
    from topicml.labels.records import read_labels
    from topicml.labels.store import read_raw_articles
    from topicml.taxonomy import load_taxonomy

    files = {path: read_labels(path) for path in options.label_paths(labels)}
    findings = check_labels(files, load_taxonomy(taxonomy), read_raw_articles(raw))
    for finding in findings:
        typer.echo(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    count = sum(map(len, files.values()))
    typer.echo(
        f"{count} sentences in {len(files)} files: {errors} errors, {len(findings) - errors} notes",
        err=True,
    )
    if errors:
        raise typer.Exit(1)


@app.command()
def stats(labels: options.Labels = None, taxonomy: options.Taxonomy = options.TAXONOMY) -> None:
    """Count sentences per topic.

    Example: topicml labels stats
    """
    from topicml.cli.render import render_rows
    from topicml.labels.records import read_labels
    from topicml.labels.store import group_sizes, label_stats
    from topicml.taxonomy import load_taxonomy

    records = [record for path in options.label_paths(labels) for record in read_labels(path)]
    rows: list[tuple[object, ...]] = [
        (row.topic, row.sentences, row.alone)
        for row in label_stats(records, load_taxonomy(taxonomy))
    ]
    empty = sum(not record.topics for record in records)
    rows.append(("(no topic)", empty, empty))
    render_rows(("topic", "sentences", "alone"), rows)
    typer.echo(f"{len(records)} sentences in {len(group_sizes(records))} groups")


@app.command()
def agreement(
    first: Annotated[Path, typer.Argument(help="One annotator's pass.")],
    second: Annotated[Path, typer.Argument(help="Another's, over the same sentences.")],
    taxonomy: options.Taxonomy = options.TAXONOMY,
) -> None:
    """Compare two independent passes topic by topic (Cohen's kappa), and list differences.

    Example: topicml labels agreement pass-1.jsonl pass-2.jsonl
    """
    from topicml.cli.render import render_rows
    from topicml.labels.agreement import agreement as compare
    from topicml.labels.agreement import differences
    from topicml.labels.records import read_annotations
    from topicml.taxonomy import load_taxonomy

    a, b = read_annotations(first), read_annotations(second)
    rows = compare(a, b, load_taxonomy(taxonomy))
    render_rows(
        ("topic", "first", "second", "kappa"), [(r.topic, r.first, r.second, r.kappa) for r in rows]
    )
    differing = differences(a, b)
    for one, other in differing:
        typer.echo(f"{one.id}: {', '.join(one.topics) or '–'} | {', '.join(other.topics) or '–'}")
    shared = len({x.id for x in a} & {x.id for x in b})
    typer.echo(f"{shared - len(differing)} of {shared} sentences have the same topics in both")


@app.command()
def codebook(
    taxonomy: options.Taxonomy = options.TAXONOMY,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", show_default="print")
    ] = None,
) -> None:
    """Render the codebook that annotators read from the taxonomy file.

    Example: topicml labels codebook -o data/labels/CODEBOOK.md
    """
    from topicml.taxonomy import load_taxonomy

    text = load_taxonomy(taxonomy).to_markdown()
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_text(output, text)
