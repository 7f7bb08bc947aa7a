"""Commands of ``topicml labels`` that read what annotators did."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.cli.exits import exit_rejected
from topicml.errors import LabelError
from topicml.files import check_outputs, write_text
from topicml.io.records import counted

if TYPE_CHECKING:
    from topicml.labels.records import Annotation
    from topicml.taxonomy import Taxonomy


def annotation_counts(folder: options.Annotations = options.ANNOTATIONS_FOLDER) -> None:
    """Count annotations per annotator and what follows from them, and list disagreements.

    Example: topicml labels annotations
    """
    from topicml.cli.render import render_rows
    from topicml.labels.annotations import AnnotationStore
    from topicml.labels.gold import RULES, decide

    everything = AnnotationStore(folder).read()
    decisions = decide(everything)
    readings = [one for decision in decisions for one in decision.readings]
    names = sorted({one.annotator for one in everything})
    rows = [
        (
            name or "(nobody named)",
            sum(one.annotator == name and not one.skipped for one in readings),
            sum(one.annotator == name and one.skipped for one in readings),
            sum(d.rule == "adjudicated" and d.decided_by == (name,) for d in decisions),
        )
        for name in names
    ]
    render_rows(("annotator", "sentences", "skipped", "adjudicated"), rows)
    by_rule = [(rule, sum(decision.rule == rule for decision in decisions)) for rule in RULES]
    render_rows(("rule", "sentences"), by_rule)
    for decision in decisions:
        if decision.rule == "disagreement":
            given = [one for one in decision.readings if not one.skipped]
            told = (f"{one.annotator}: {options.topic_list(one.topics)}" for one in given)
            options.say(f"{decision.id}: {' | '.join(told)}")


def gold(
    output: Annotated[
        Path, typer.Option("--output", "-o", callback=options.named, help="Label file to write.")
    ],
    folder: options.Annotations = options.ANNOTATIONS_FOLDER,
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    force: options.Force = False,
) -> None:
    """Write what annotators decided as a label file: adjudicated, else agreed, else single.

    The sentences are those of the label files; of these only topics, annotator and status
    change. Sentences that annotators disagree on or skipped are left out. With decisions on
    sentences that no label file has, or whose text has changed, the exit code is 3.

    Example: topicml labels gold -o gold.jsonl
    """
    from topicml.labels.annotations import AnnotationStore
    from topicml.labels.gold import GOLD_RULES, decide, gold_labels
    from topicml.labels.store import read_as_written
    from topicml.taxonomy import load_taxonomy

    paths = options.label_paths(labels)
    store = AnnotationStore(folder)
    check_outputs([output], [*paths, *store.files(), taxonomy], force=force)
    scheme = load_taxonomy(taxonomy)
    decisions = decide(store.read())
    view = gold_labels(decisions, (label for path in paths for label in read_as_written(path)))
    for label in view.labels:
        scheme.check(label.topics, f"{folder}: {label.id}")
    for identifier in view.unknown:
        options.tell(f"left out: {identifier}: in no label file")
    for identifier in view.changed:
        options.tell(f"left out: {identifier}: its text is not the one that was read")
    write_text(output, "".join(label.to_json() + "\n" for label in view.labels))
    undecided = sum(decision.rule not in GOLD_RULES for decision in decisions)
    options.tell(
        f"{counted(len(view.labels), 'label')} written; "
        f"{counted(undecided, 'sentence')} without a decision"
    )
    if view.unknown or view.changed:
        raise exit_rejected(len(view.labels))


def agreement(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="One annotator's pass each.", show_default="each annotator of --annotations"
        ),
    ] = None,
    folder: options.Annotations = options.ANNOTATIONS_FOLDER,
    taxonomy: options.Taxonomy = options.TAXONOMY,
) -> None:
    """Compare annotators pair by pair, and list their differences.

    Per topic: Cohen's kappa, and Krippendorff's alpha; for the topics as sets alpha by MASI
    distance. Only sentences that both read and neither skipped count. Of several readings by
    one annotator the last counts, by their times; without times they are refused.

    Example: topicml labels agreement pass-1.jsonl pass-2.jsonl
    """
    from topicml.cli.render import render_rows
    from topicml.labels.agreement import alphas, one_pass, passes_by_annotator, shared
    from topicml.labels.annotations import AnnotationStore
    from topicml.labels.migration.history import read_through
    from topicml.labels.records import read_annotations
    from topicml.taxonomy import load_taxonomy

    if files and len(set(files)) < 2:
        raise typer.BadParameter("give two files or more, or none")
    scheme = load_taxonomy(taxonomy)
    passes = (
        {
            str(path): one_pass(read_through(read_annotations(path), taxonomy.parent), path)
            for path in files
        }
        if files
        else passes_by_annotator(AnnotationStore(folder).read())
    )
    pairs = [(a, b) for a, b in combinations(passes, 2) if files or shared(passes[a], passes[b])]
    if not pairs:
        raise LabelError(
            "no two annotators read the same sentence", where=folder, hint="Have some read twice."
        )
    for first, second in pairs:
        _render_pair((first, second), (passes[first], passes[second]), scheme)
    if len(pairs) > 1:
        found = alphas(passes.values(), scheme)
        render_rows(("topic", "alpha"), [*found.by_topic.items(), (_SETS, found.of_sets)])
        typer.echo(f"{counted(found.sentences, 'sentence')} read by two or more annotators")


_SETS = "(sets of topics)"


def _render_pair(
    names: tuple[str, str],
    passes: tuple[list[Annotation], list[Annotation]],
    scheme: Taxonomy,
) -> None:
    from topicml.cli.render import render_rows
    from topicml.labels.agreement import agreement as compare
    from topicml.labels.agreement import alphas, differences

    rows = compare(*passes, scheme)
    found = alphas(passes, scheme)
    options.say(" and ".join(names))
    render_rows(
        ("topic", "first", "second", "kappa", "alpha"),
        [
            *((r.topic, r.first, r.second, r.kappa, found.by_topic[r.topic]) for r in rows),
            (_SETS, None, None, None, found.of_sets),
        ],
    )
    differing = differences(*passes)
    for a, b in differing:
        options.say(f"{a.id}: {options.topic_list(a.topics)} | {options.topic_list(b.topics)}")
    same = found.sentences - len(differing)
    typer.echo(f"{same} of {found.sentences} sentences have the same topics in both")
