"""``topicml labels queue``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.cli.classify import EXIT_FAILURE, EXIT_SOME_REJECTED, Inputs
from topicml.errors import InputError
from topicml.files import check_outputs, write_text
from topicml.io.records import ReadOptions, counted, list_counts

if TYPE_CHECKING:
    from topicml.labels.store import LabelFile


def queue(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|GLOB|-...", help="Unlabelled text, of all formats of classify."
        ),
    ],
    strategy: Annotated[
        Literal["combined", "entropy", "confidence", "margin", "novelty", "diversity", "random"],
        typer.Option(help="What makes a label worth giving (see docs/label-queue.md)."),
    ] = "combined",
    limit: Annotated[int, typer.Option(min=1, help="Sentences at most.")] = 100,
    random_share: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Of these, drawn at random whatever the strategy, and put first."
        ),
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Of random, and of the order among equals.")] = 0,
    labels: options.Labels = None,
    unit: options.Unit = "article",
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    title_field: options.TitleField = "title",
    input_format: options.InputFormat = None,
    encoding: options.Encoding = None,
    follow_links: options.FollowLinks = False,
    delimiter: options.Delimiter = None,
    no_header: options.NoHeader = False,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
    output_format: Annotated[
        Literal["table", "jsonl"] | None,
        typer.Option(
            "--format", "-f", help="Output format.", show_default="jsonl to a file, else table"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            *("--output", "-o"), callback=options.named, help="File to write.", show_default="print"
        ),
    ] = None,
    force: options.Force = False,
) -> None:
    """Rank unlabelled sentences by how much a label of theirs would teach, with reasons.

    The file it writes is a label file of sentences that are yet to be labelled, for labels
    export. Sentences that are not English or no part of an article are left out, and so are
    near copies of labelled ones and of each other.

    Example: topicml labels queue data/raw --limit 20
    """
    from topicml.labels.store import read_label_file
    from topicml.models.proven import open_for_use
    from topicml.models.tagger import make_tagger
    from topicml.training.label_queue import choose_next, gather, label_record

    options.check_encoding(encoding)
    reading = ReadOptions(
        *(options.record_fields(text_field, id_field, title_field), encoding),
        any_text=unit == "sentence",
        delimiter=options.column_delimiter(delimiter),
        has_header=not no_header,
    )
    inputs = Inputs(sources, input_format, reading, follow_links=follow_links)
    paths = labels or options.project_labels()
    if output:
        check_outputs([output], [*inputs.paths, *paths], force=force)
    known = _texts([read_label_file(path) for path in paths])
    opened = open_for_use(options.model_store(models_dir).find(model), options.tell)
    tagger = make_tagger(opened, unit=unit)
    candidates, left_out = gather(inputs.tag(tagger), known)
    chosen = choose_next(
        *(candidates, known, tagger.thresholds, opened.scorer.blocks, opened.scorer.scheme.kind),
        strategy=strategy,
        limit=limit,
        random_share=random_share,
        seed=seed,
    )
    topics = opened.scorer.topics
    rows = [label_record(one, candidates, topics) for one in chosen]
    _write(rows, output, output_format)
    _tell(len(rows), len(candidates), left_out)
    if inputs.rejected:
        raise typer.Exit(EXIT_SOME_REJECTED if rows else EXIT_FAILURE)
    if not candidates and not left_out:
        raise InputError("nothing to label: no input holds a text", hint="Check what was given.")


def _texts(files: list[LabelFile]) -> list[str]:
    """Return the sentences of label files, and say what is not here."""
    from topicml.labels.store import count_references

    if note := count_references(files).note():
        options.tell(note)
    return [record.text for file in files for record in file.records]


def _write(
    rows: list[dict[str, Any]], output: Path | None, asked: Literal["table", "jsonl"] | None
) -> None:
    if (asked or ("jsonl" if output else "table")) == "table":
        _write_table(rows, output)
        return
    lines = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    if output:
        write_text(output, lines)
    else:
        typer.echo(lines, nl=False)


def _write_table(rows: list[dict[str, Any]], output: Path | None) -> None:
    import io

    from topicml.cli.render import render_rows

    out = io.StringIO() if output else None
    cells = [
        (
            place,
            row["reasons"]["entropy"],
            f"{row['reasons']['nearest']} {row['reasons']['probability']:.2f}"
            f" ({row['reasons']['threshold']:.2f})",
            row["reasons"]["novelty"],
            row["text"],
        )
        for place, row in enumerate(rows, start=1)
    ]
    render_rows(("", "entropy", "nearest (threshold)", "novelty", "sentence"), cells, out)
    if output and out:
        write_text(output, out.getvalue())


def _tell(shown: int, of: int, left_out: Counter[str]) -> None:
    options.tell(f"{counted(shown, 'sentence')} of {of:,} that could be labelled")
    if left_out:
        options.tell(f"left out: {list_counts(dict(left_out.most_common()))}")
