"""``topicml labels issues``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.io.records import counted
from topicml.text.normalise import printable

if TYPE_CHECKING:
    from topicml.labels.conflicts import Issue, Kind


def issues(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Kinds of issues to look for: contradiction, near-contradiction, worked-case, "
            "doubted, repeated; with commas between.",
            show_default="all",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rows at most.", show_default="all")
    ] = None,
    output_format: Annotated[
        Literal["table", "jsonl", "csv"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    parameters: options.Parameters = None,
    background: options.Background = None,
    no_background: options.NoBackground = False,
    jobs: options.Jobs = 1,
    models_dir: options.ModelsDir = None,
) -> None:
    """List labels that are likely wrong, the likeliest first. Nothing is changed.

    Texts that have other topics elsewhere, or in a worked case of the codebook; labels that the
    training recipe doubts, each asked of a fold that has not seen it (extra labels); texts that
    are in several articles.

    Example: topicml labels issues --limit 50
    """
    from topicml.models.label_issues import find_label_issues
    from topicml.models.parameters import read_parameters

    found = find_label_issues(
        *(options.model_store(models_dir), options.model_name(None, taxonomy)),
        *(options.label_paths(labels), taxonomy),
        kinds=_kinds(kind),
        parameters=read_parameters(parameters) if parameters else None,
        background=options.background_choice(background, no_background),
        jobs=jobs,
        on_note=options.tell,
    )
    shown = found[:limit]
    if output_format == "table":
        _write_blocks(shown)
    elif output_format == "jsonl":
        for issue in shown:
            typer.echo(json.dumps(_fields(issue), ensure_ascii=False))
    else:
        _write_csv(shown)
    options.tell(f"{counted(len(found), 'issue')}, {len(shown):,} shown")


def _kinds(given: list[str] | None) -> tuple[Kind, ...]:
    from topicml.labels.conflicts import KINDS

    asked = options.names(given, "--kind")
    if unknown := [name for name in asked if name not in KINDS]:
        raise typer.BadParameter(f"--kind {unknown[0]!r} is none of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if not asked or kind in asked)


def _fields(issue: Issue) -> dict[str, Any]:
    record = issue.label.record
    return {
        "id": record.id,
        "file": str(issue.label.path),
        "line": record.line,
        "kind": issue.kind,
        "score": round(issue.score, 4),
        "topics": list(record.topics),
        "suggested": list(issue.suggested),
        "probabilities": {topic: round(p, 4) for topic, p in issue.probabilities.items()},
        "other": issue.other,
        "text": record.text,
    }


def _write_csv(found: Sequence[Issue]) -> None:
    from topicml.io.writers.csv import defused

    rows = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(map(_fields, found)):
        if not number:
            rows.writerow(row)
        row["probabilities"] = ";".join(f"{t}={p}" for t, p in row["probabilities"].items())
        cells = (";".join(v) if isinstance(v, list) else v for v in row.values())
        rows.writerow([defused(cell) for cell in cells])


def _write_blocks(found: Sequence[Issue]) -> None:
    """Write a few lines for each: in columns, ids and paths leave none for the sentence."""
    for issue in found:
        record = issue.label.record
        suggested = options.topic_list(_with_probability(issue))
        options.say(f"{issue.score:.2f} {issue.kind} {record.id} {issue.label.where}")
        lines = [
            record.text,
            f"labelled {options.topic_list(record.topics)}; suggested {suggested}",
            *([f"as {issue.other}"] if issue.other else []),
        ]
        for line in lines:
            typer.echo(f"     {printable(line)}")
        typer.echo()


def _with_probability(issue: Issue) -> list[str]:
    known = issue.probabilities
    return [f"{t} {known[t]:.2f}" if t in known else t for t in issue.suggested]
