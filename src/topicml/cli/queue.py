"""``topicml labels queue``."""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.cli.inputs import Inputs
from topicml.cli.outputs import STDOUT, check_output, open_text_output
from topicml.io.records import counted, list_counts

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
    output: options.Output = "-",
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

    fields = options.record_fields(text_field, id_field, title_field)
    reading = options.read_options(fields, encoding, unit, delimiter, no_header)
    inputs = Inputs(sources, input_format, reading, follow_links=follow_links)
    paths = labels or options.project_labels()
    check_output(output, [*inputs.paths, *paths], force=force)
    known = _texts([read_label_file(path) for path in paths])
    opened = open_for_use(options.model_store(models_dir).find(model), options.note)
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
    with open_text_output(output) as out:
        if (output_format or ("table" if output == STDOUT else "jsonl")) == "table":
            _write_table(rows, out)
        else:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    _tell(len(rows), len(candidates), left_out)
    inputs.end(len(candidates) + left_out.total(), "label")


def _texts(files: list[LabelFile]) -> list[str]:
    """Return the sentences of label files, and say what is not here."""
    from topicml.labels.store import count_references

    if note := count_references(files).note():
        options.tell(note)
    return [record.text for file in files for record in file.records]


def _write_table(rows: list[dict[str, Any]], out: IO[str]) -> None:
    from topicml.cli.render import render_rows

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


def _tell(shown: int, of: int, left_out: Counter[str]) -> None:
    options.tell(f"{counted(shown, 'sentence')} of {of:,} that could be labelled")
    if left_out:
        options.tell(f"left out: {list_counts(dict(left_out.most_common()))}")
