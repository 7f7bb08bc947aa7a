"""``topicml labels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.cli.adjudicate import adjudicate
from topicml.cli.annotations import agreement, annotation_counts, gold
from topicml.cli.exchange import export_labels, import_labels
from topicml.cli.exits import exit_rejected
from topicml.cli.issues import issues
from topicml.cli.migrate import app as migrate_app
from topicml.cli.outputs import check_output, open_text_output
from topicml.cli.queue import queue
from topicml.errors import LabelError
from topicml.files import check_outputs
from topicml.io.records import counted

if TYPE_CHECKING:
    from topicml.labels.store import LabelFile

app = typer.Typer(help="The label store.", no_args_is_help=True)
app.command("import")(import_labels)
app.command("export")(export_labels)
app.add_typer(migrate_app, name="migrate")

_MOST_BROKEN = 50

Sources = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        exists=True,
        file_okay=False,
        help="Clone of an archive, or a folder of clones or plain copies; repeat for more.",
        show_default="clone the archives",
    ),
]
Archives = Annotated[
    Path | None,
    typer.Option(
        help="File that lists the archives.", show_default="archives.toml beside the labels"
    ),
]


@app.command()
def check(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    raw: options.Raw = options.RAW_FOLDER,
) -> None:
    """Check label files: topics, ids, offsets, contradictions, duplicates, near-duplicates.

    Example: topicml labels check
    """
    from topicml.labels.checks import check_labels
    from topicml.labels.store import read_label_file, read_raw_articles
    from topicml.taxonomy import load_taxonomy

    broken: list[LabelError] = []
    files = [read_label_file(path, broken) for path in options.label_paths(labels)]
    findings = check_labels(
        {file.path: file.records for file in files},
        load_taxonomy(taxonomy),
        read_raw_articles(raw),
        {file.path: file.without_text for file in files},
    )
    for error in broken[:_MOST_BROKEN]:
        options.say(f"error: {error}")
    if len(broken) > _MOST_BROKEN:
        options.say(f"error: {len(broken) - _MOST_BROKEN:,} more lines are no labels")
    for finding in findings:
        options.say(str(finding))
    errors = len(broken) + sum(finding.severity == "error" for finding in findings)
    notes = sum(finding.severity == "note" for finding in findings)
    count = sum(len(file.records) for file in files)
    _tell_of_references(files)
    typer.echo(
        f"{counted(count, 'sentence')} in {counted(len(files), 'file')}: "
        f"{counted(errors, 'error')}, {counted(notes, 'note')}",
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
    from topicml.labels.refused import refused_notes
    from topicml.labels.store import group_sizes, label_stats, read_label_file
    from topicml.taxonomy import load_taxonomy

    scheme = load_taxonomy(taxonomy)
    files = [read_label_file(path) for path in options.label_paths(labels)]
    records = [record for file in files for record in file.records]
    labelled = [record for record in records if record.status != "skipped"]
    rows: list[tuple[object, ...]] = [
        (row.topic, row.sentences, row.alone) for row in label_stats(labelled, scheme)
    ]
    empty = sum(not record.topics for record in labelled)
    skipped = len(records) - len(labelled)
    rows += [("(no topic)", empty, empty), ("(skipped)", skipped, skipped)]
    render_rows(("topic", "sentences", "alone"), rows)
    groups = counted(len(group_sizes(records)), "group")
    typer.echo(f"{counted(len(records), 'sentence')} in {groups}")
    _tell_of_references(files)
    for note in refused_notes(records, scheme.scheme):
        options.note(note)


@app.command()
def fetch(
    labels: options.Labels = None,
    sources: Sources = None,
    archives: Archives = None,
) -> None:
    """Fetch the texts of labels by reference from the archives, and check each by its SHA-1.

    A clone may be an ordinary or a bare one, with anything checked out: the commit that
    archives.toml pins is read. Nothing of a clone is run. What is missing or differs is listed,
    with exit code 3, or 1 where no text is there at all.

    Example: topicml labels fetch --from ../archives
    """
    from topicml.cli.render_fetch import document_progress, problem_lines
    from topicml.labels.archives import ARCHIVES, read_archives
    from topicml.labels.fetch import fetch_texts
    from topicml.labels.references import read_references

    paths = [path for path in options.label_paths(labels) if read_references(path)]
    if not paths:
        raise LabelError("no labels by reference", hint="Give their file with --labels.")
    problems = found = 0
    for path in paths:
        listed = read_archives(archives or path.parent / ARCHIVES)
        with document_progress() as progress:
            fetched = fetch_texts(
                path, listed, sources or (), on_step=options.tell, on_document=progress
            )
        for line in problem_lines(fetched):
            options.tell(line)
        count = fetched.count
        options.say(f"{count.with_text:,} of {count.labels:,} texts are in {fetched.path}.")
        found += count.with_text
        problems += len(fetched.problems)
    if problems:
        raise exit_rejected(found)


@app.command()
def documents(
    output: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    listing: Annotated[
        Path,
        typer.Option(
            "--list",
            callback=options.in_project,
            help="File of repository, tab and path, a line a document.",
        ),
    ] = options.LABELS_FOLDER / "pool.tsv",
    sources: Sources = None,
    archives: Archives = None,
    force: options.Force = False,
) -> None:
    """Write whole documents of the archives as a dump: unlabelled text for distill.

    Example: topicml labels documents pool.jsonl --from ../archives
    """
    from topicml.cli.render_fetch import document_progress
    from topicml.labels.archives import ARCHIVES, read_archives
    from topicml.labels.documents import write_documents

    check_outputs([output], [listing], force=force)
    listed = read_archives(archives or listing.parent / ARCHIVES)
    with document_progress() as progress:
        count, missing = write_documents(
            *(listing, listed, sources or (), output), on_step=options.tell, on_document=progress
        )
    for line in missing:
        options.tell(f"missing: {line}")
    options.say(f"{count:,} documents are in {output}.")
    if missing:
        raise exit_rejected(count)


app.command("annotations")(annotation_counts)
app.command()(gold)
app.command()(agreement)
app.command()(adjudicate)
app.command()(queue)
app.command()(issues)


@app.command()
def codebook(
    taxonomy: options.Taxonomy = options.TAXONOMY,
    output: options.Output = "-",
    force: options.Force = False,
) -> None:
    """Render the codebook that annotators read from the taxonomy file.

    Example: topicml labels codebook -o CODEBOOK.md
    """
    from topicml.taxonomy import load_taxonomy

    text = load_taxonomy(taxonomy).to_markdown()
    check_output(output, [taxonomy], force=force)
    with open_text_output(output) as out:
        out.write(text)


def _tell_of_references(files: list[LabelFile]) -> None:
    from topicml.labels.store import count_references

    note = count_references(files).note()
    if note:
        options.tell(note)
