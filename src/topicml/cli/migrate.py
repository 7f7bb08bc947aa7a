"""``topicml labels migrate``."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.io.records import counted

if TYPE_CHECKING:
    from topicml.labels.migration.migrate import Plan

app = typer.Typer(
    help="Change the label scheme: rename, merge, split and retire topics.", no_args_is_help=True
)

_EXAMPLES = 3

File = Annotated[Path, typer.Argument(help="The migration: a TOML file.", metavar="FILE")]


@app.command()
def plan(
    file: File, labels: options.Labels = None, taxonomy: options.Taxonomy = options.TAXONOMY
) -> None:
    """Show what a migration would change, and write nothing.

    Example: topicml labels migrate plan scheme-3.0.toml
    """
    from topicml.labels.migration.migrate import plan_migration

    found = plan_migration(file, taxonomy, options.label_paths(labels))
    _say_plan(found)
    _tell_of(found)


@app.command()
def apply(
    file: File, labels: options.Labels = None, taxonomy: options.Taxonomy = options.TAXONOMY
) -> None:
    """Apply a migration: to the taxonomy and all label files, or to none of them.

    Labels with a topic that is split become skipped, until labels adjudicate settles which part
    they have. What was done is written down in migrations/ beside the taxonomy. Given again
    after it was cut off, the command ends what it had begun.

    Example: topicml labels migrate apply scheme-3.0.toml
    """
    from topicml.labels.migration.migrate import apply_migration

    done = apply_migration(file, taxonomy, _paths(labels))
    if done is None:
        options.say(f"{file}: had been cut off, and is applied now")
        return
    _say_plan(done)
    _tell_of(done)


@app.command()
def undo(labels: options.Labels = None, taxonomy: options.Taxonomy = options.TAXONOMY) -> None:
    """Undo the migration that was applied last, in all files or in none.

    Example: topicml labels migrate undo
    """
    from topicml.labels.migration.migrate import undo_migration

    undone = undo_migration(taxonomy, _paths(labels))
    options.say(f"undone: the migration to {undone.version}")


def _paths(labels: list[Path] | None) -> list[Path]:
    """Return label files, be they half migrated: what was cut off is ended first."""
    return options.label_paths(labels, finished=False)


def _say_plan(plan: Plan) -> None:
    from topicml.cli.render import render_rows

    options.say(f"{plan.version or '(no version)'} → {plan.migration.version}")
    for step in plan.migration.steps:
        options.say(str(step))
    render_rows(
        ("file", "labels changed", "to label anew"),
        [(str(path), len(m.changed), len(m.queue)) for path, m in plan.labels.items()],
    )
    topics = [
        (topic, sum(moved.by_topic[topic] for moved in plan.labels.values()))
        for topic in plan.migration.becomes
    ]
    render_rows(("topic", "labels"), topics)
    for step in plan.migration.steps:
        _say_examples(plan, step.sources)


def _say_examples(plan: Plan, sources: tuple[str, ...]) -> None:
    changed = (one for moved in plan.labels.values() for one in moved.changed)
    for identifier, old, new in islice((c for c in changed if {*sources} & {*c[1]}), _EXAMPLES):
        now = options.topic_list(new.topics)
        split = f" (split: {', '.join(new.split)})" if new.split else ""
        options.say(f"{identifier}: {options.topic_list(old)} | {now}{split}")


def _tell_of(plan: Plan) -> None:
    """Say what a migration leaves to do, or does beside the labels."""
    if plan.scheme.cases:
        options.tell(f"{counted(plan.scheme.cases, 'worked case')} with other topics")
    if count := plan.scheme.open_cases.count("[[cases]]"):
        options.tell(
            f"{counted(count, 'worked case')} with a topic that is split: taken out of the "
            "taxonomy, into cases.toml of the migration; put them back with their new topics"
        )
    if plan.queue:
        options.tell(
            f"{counted(len(plan.queue), 'label')} with a topic that is split: status skipped, "
            "to be settled with topicml labels adjudicate"
        )
    if plan.annotations:
        options.tell(
            f"{counted(plan.annotations, 'annotation')} stay as written, and are read as the "
            "topics of now"
        )
    if plan.scheme.mentions:
        named = ", ".join(plan.scheme.mentions)
        options.tell(f"the taxonomy's texts name topics that are gone, rewrite them: {named}")
    if plan.codebook is False:
        options.tell(
            "CODEBOOK.md is not what the taxonomy renders, and is left: topicml labels codebook"
        )
