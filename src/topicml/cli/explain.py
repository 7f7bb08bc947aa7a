"""``topicml explain``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from topicml.cli import options
from topicml.cli.inputs import Inputs, given_or_stdin
from topicml.cli.outputs import PAGES, TABLES, check_output, kind_of, open_output, open_text_output
from topicml.explain.explainer import Explainer, check_explainable
from topicml.explain.nearest import LabelledSentences, load_labelled
from topicml.explain.records import ExplainedArticle, explain_article
from topicml.io.records import ReadOptions, counted
from topicml.io.writers.output import Output
from topicml.models.folder import Model
from topicml.models.proven import open_for_use
from topicml.tagging.tagger import Tagger
from topicml.tagging.thresholds import choose_thresholds
from topicml.text.document import Document

Format = Literal["table", "json", "html"]

_KINDS: dict[str, Format] = {**TABLES, **PAGES, ".json": "json"}


def explain(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT|FILE|-]",
            help="A sentence or more in quotes, what classify reads, or - for stdin.",
            show_default="-",
        ),
    ] = None,
    output_format: Annotated[
        Format | None,
        typer.Option(
            "--format", "-f", help="Output format.", show_default="by --output's suffix, or table"
        ),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            "-t",
            help="Topic to explain; repeat for more.",
            show_default="those given, or the nearest where none is",
        ),
    ] = None,
    labels: options.Labels = None,
    no_nearest: Annotated[
        bool,
        typer.Option(
            "--no-nearest", help="Look for no labelled sentences, which takes seconds to start."
        ),
    ] = False,
    unit: options.Unit = "article",
    threshold: options.Threshold = None,
    min_precision: options.MinPrecision = None,
    relevance: options.Relevance = None,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
    output: options.Output = "-",
    force: options.Force = False,
) -> None:
    """Say why sentences have their topics, or none: which words add how much.

    What all words add and what the model starts from are together the log-odds that decide. The
    labelled sentences nearest to each, the fewest words without which a topic is not given, and
    every check that a sentence without a topic failed or passed.

    Example: topicml explain "The two ministers will meet in Manila on Friday." --no-nearest
    """
    options.check_thresholds(threshold, min_precision, relevance)
    kind = output_format or kind_of(output, _KINDS, "table")
    inputs = None
    if source is None or not _is_text(source):
        reading = ReadOptions(any_text=unit == "sentence")
        inputs = Inputs(given_or_stdin([source] if source else None), None, reading)
    check_output(output, inputs.paths if inputs else [], force=force)
    path = options.model_store(models_dir).find(model)
    check_explainable(path)
    opened = open_for_use(path, options.note)
    thresholds = choose_thresholds(
        opened.scorer, threshold=threshold, min_precision=min_precision, relevance=relevance
    )
    explainer = Explainer(opened, thresholds)
    explainer.columns_of(topic or ())
    if not no_nearest:
        explainer.labelled = _labelled(opened, labels)
    tagger = Tagger(opened.scorer, opened.reference, thresholds, unit)
    groups = inputs.tag(tagger) if inputs else iter([tagger.tag([Document("text", source or "")])])
    explained = (
        explain_article(article, explainer, topic) for group in groups for article in group
    )
    count = _write(explained, kind, output, opened)
    if inputs:
        inputs.end(count, "explain")


def _is_text(source: str) -> bool:
    """Whether what is given is a text itself: it has a blank, and is no file."""
    return len(source.split()) > 1 and not os.path.lexists(source)


def _labelled(model: Model, labels: list[Path] | None) -> LabelledSentences:
    """Return the labelled sentences of files, or of the project, and say where there are none."""
    paths = labels or options.project_labels()
    found = load_labelled(model, paths)
    if not paths:
        options.note("no labelled sentences at hand: give --labels, or run this in a project")
    elif not found:
        options.note(
            f"no labelled sentences at hand: no label file is of {model.reference}'s topics"
        )
    elif found.missing:
        options.note(
            f"{counted(found.missing, 'labelled sentence')} are not here: topicml labels fetch"
        )
    return found


def _write(explained: Iterator[ExplainedArticle], kind: Format, output: str, model: Model) -> int:
    """Write explanations; return of how many texts."""
    if kind == "json":
        from topicml.io.writers.writer import write_stream

        written = Output("json", "none", "probabilities", model.scorer.topics)
        records = ([article.to_dict(full=True)] for article in explained)
        with open_output(output) as binary:
            return write_stream(records, written, binary)
    with open_text_output(output) as out:
        if kind == "html":
            from topicml.explain.page import explanation_page

            articles = list(explained)
            out.write(explanation_page(articles))
            return len(articles)
        from topicml.explain.terminal import write_explanations  # rich takes long to import

        count = 0
        for count, article in enumerate(explained, start=1):  # noqa: B007
            write_explanations(article, out)
        return count
