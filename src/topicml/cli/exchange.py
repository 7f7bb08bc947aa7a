"""``topicml labels import`` and ``topicml labels export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from topicml.cli import options
from topicml.errors import LabelError
from topicml.files import check_apart, check_new, check_outputs
from topicml.io.records import counted, list_counts
from topicml.labels.exchange.formats import Format

if TYPE_CHECKING:
    from topicml.labels.exchange.importing import Change

_MOST_LISTED = 20

ExchangeFormat = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="Format of the tool.", show_default="by suffix or content"),
]


def import_labels(
    sources: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files of the annotation tool.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", callback=options.named, help="Label file to write."),
    ],
    exchange_format: ExchangeFormat = None,
    label_map: Annotated[
        Path | None,
        typer.Option("--map", help='TOML file of what label names stand for: "Name" = "topic".'),
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field or column of the text.")] = "text",
    label_field: Annotated[
        str | None,
        typer.Option(
            help="Field, column, control or question of the labels.", show_default="the only one"
        ),
    ] = None,
    annotator: Annotated[
        str,
        typer.Option(
            help="Who made the annotations that name nobody.",
            show_default="nobody; of several files, the file's name",
        ),
    ] = "",
    no_label: Annotated[
        Literal["empty", "skip"],
        typer.Option(
            help="What the mere lack of labels means, where a format does not tell: no topic, "
            "or a sentence that nobody read."
        ),
    ] = "empty",
    not_asked: Annotated[
        Literal["skip", "absent"],
        typer.Option(
            help="Whether a sentence whose annotator was not asked for every topic is skipped, "
            "or has none of the others."
        ),
    ] = "skip",
    append: Annotated[
        bool, typer.Option("--append", help="Add to a label file that is there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")
    ] = False,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    raw: options.Raw = options.RAW_FOLDER,
    encoding: options.Encoding = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a label file, or labels in it with --append.")
    ] = False,
) -> None:
    """Import what an annotation tool exports as a label file, checked as by labels check.

    Formats: doccano (JSONL), label-studio (JSON), label-studio-min (JSON_MIN), prodigy, argilla,
    csv, tsv, cats (spaCy), fasttext. Skipped items are counted and left out.

    Example: topicml labels import doccano.jsonl -o data/labels/new.jsonl
    """
    from topicml.labels.exchange import importing
    from topicml.labels.exchange.annotation import Columns
    from topicml.labels.exchange.merge import Rules, merge
    from topicml.labels.exchange.names import Names, read_map
    from topicml.labels.store import read_raw_articles
    from topicml.taxonomy import load_taxonomy

    options.check_encoding(encoding)
    given = [*sources, taxonomy, *([label_map] if label_map else [])]
    check_apart([output], [*given, *_annotations(output)])
    check_new([output], force=force or append or dry_run)
    scheme = load_taxonomy(taxonomy)
    names = Names(scheme, read_map(label_map, scheme) if label_map else {})
    columns = Columns(text_field, label_field, names.known)
    located = importing.read_annotations(
        sources, exchange_format, columns, names, annotator, encoding
    )
    merged = merge(located, Rules(names, output.stem, no_label == "skip", not_asked == "absent"))
    change = importing.plan_change(merged, output, append=append)
    findings = importing.check_change(change, scheme, read_raw_articles(raw))
    for finding in findings:
        options.tell(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        raise LabelError(
            f"{counted(errors, 'error')} among the labels; nothing was written",
            where=output,
            hint="Correct them where they come from.",
        )
    _tell_of(change, dry_run=dry_run)
    if dry_run:
        _say_changes(change)
        return
    written = importing.write_change(change, force=force)
    options.say(_counts(change))
    for path in written[1:]:
        options.tell(f"what each annotator said was added to {path}")


def export_labels(
    output: Annotated[
        Path, typer.Option("--output", "-o", callback=options.named, help="File to write.")
    ],
    labels: options.Labels = None,
    exchange_format: ExchangeFormat = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    force: options.Force = False,
) -> None:
    """Export label files for an annotation tool; what a format cannot hold is said.

    Formats: those of labels import. The suffixes .csv, .tsv and .txt (fasttext) tell theirs.

    Example: topicml labels export -l data/labels/articles.jsonl -o articles.csv
    """
    from topicml.labels.exchange.exporting import losses, write_export
    from topicml.labels.exchange.formats import format_by_suffix
    from topicml.labels.store import count_references, read_label_files
    from topicml.taxonomy import load_taxonomy

    paths = options.label_paths(labels)
    check_outputs([output], [*paths, taxonomy, *_annotations(output)], force=force)
    name = exchange_format or format_by_suffix(output)
    scheme = load_taxonomy(taxonomy)
    files = read_label_files(paths, scheme)
    records = [record for file in files for record in file.records]
    write_export(records, name, scheme, output)
    if note := count_references(files).note():
        options.tell(note)
    if lost := losses(records, name, paths):
        options.tell(f"{name} cannot hold, lost: {', '.join(lost)}")
    options.say(f"{counted(len(records), 'sentence')} in {output}")


def _annotations(output: Path) -> list[Path]:
    """Return a file that is not to be written over: annotations are only ever added to."""
    from topicml.labels.annotations import FILE

    return [output] if output.name == FILE and output.exists() else []


def _counts(change: Change) -> str:
    skipped = sum(change.merged.skipped.values())
    removed = f", {change.removed:,} removed" if change.removed else ""
    return (
        f"{change.output}: {len(change.new):,} new, {len(change.changed):,} changed, "
        f"{change.same:,} same, {skipped:,} skipped{removed}"
    )


def _tell_of(change: Change, *, dry_run: bool) -> None:
    """Say what an import leaves out, takes for granted or leaves open."""
    merged = change.merged
    if merged.skipped:
        options.tell(f"skipped, not imported: {list_counts(merged.skipped)}")
    if merged.unread:
        options.tell(f"{counted(merged.unread, 'sentence')} without an answer still, as skipped")
    if merged.unlabelled:
        options.tell(
            f"{counted(merged.unlabelled, 'sentence')} without labels, taken as no topic; "
            "--no-label skip takes them as not read"
        )
    if merged.disagreements:
        some = ", ".join(merged.disagreements[:_MOST_LISTED])
        more = ", …" if len(merged.disagreements) > _MOST_LISTED else ""
        count = counted(len(merged.disagreements), "sentence")
        options.tell(f"annotators disagree on {count}, status skipped until decided: {some}{more}")
    archived = sum(record.source == "archive" for record in change.new)
    if archived and not dry_run:
        options.tell(
            f"{counted(archived, 'sentence')} of archives with their texts: "
            "mind the archives' licences before you pass the file on"
        )


def _say_changes(change: Change) -> None:
    options.say(f"would be {_counts(change)}")
    for before, after in change.changed:
        old, new = ", ".join(before.topics) or "–", ", ".join(after.topics) or "–"
        options.say(f"{after.id}: {old} | {new}")
