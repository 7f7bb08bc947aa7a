"""``topicml classify``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.cli.inputs import Inputs, WebPages, given_or_stdin
from topicml.cli.outputs import (
    PAGES,
    STDOUT,
    TABLES,
    check_output,
    open_output,
    open_text_output,
)
from topicml.io.writers.output import Compression, Format, Output, output_kind
from topicml.io.writers.texts import TextFolder
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.scoring.backends import backend_for
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.thresholds import Thresholds

if TYPE_CHECKING:
    from topicml.explain.records import ExplainedArticle
    from topicml.models.folder import Model

    Explaining = Callable[[TaggedArticle], ExplainedArticle]

Kind = Literal["table", "html"] | Format

_FOR_PEOPLE: dict[str, Kind] = {**TABLES, **PAGES}


def classify(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER|GLOB|-]...",
            help="Text, HTML, MHTML, PDF, DOCX, ODT, RTF, mails, mailboxes, feeds, JSON Lines, "
            "JSON, CSV, TSV, Parquet, WARC, plain or compressed; folders and globs of them, or - "
            "for stdin.",
            show_default="-",
        ),
    ] = None,
    output_format: Annotated[
        Literal["table", "jsonl", "json", "csv", "parquet", "html"] | None,
        typer.Option(
            "--format", "-f", help="Output format.", show_default="by --output's suffix, or table"
        ),
    ] = None,
    unit: options.Unit = "article",
    threshold: options.Threshold = None,
    min_precision: options.MinPrecision = None,
    relevance: options.Relevance = None,
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    title_field: options.TitleField = "title",
    keep: options.Keep = None,
    raw_cells: options.RawCells = False,
    input_format: options.InputFormat = None,
    encoding: options.Encoding = None,
    follow_links: options.FollowLinks = False,
    delimiter: options.Delimiter = None,
    no_header: options.NoHeader = False,
    model: options.Model = None,
    second_opinion: options.SecondOpinion = None,
    second_opinion_share: options.SecondOpinionShare = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say which words decided: in the table, or in records of JSON (see explain).",
        ),
    ] = False,
    models_dir: options.ModelsDir = None,
    output: options.Output = "-",
    force: options.Force = False,
    urls: Annotated[
        list[str] | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Web address of a page, a feed or a file to tag, too; may be repeated.",
        ),
    ] = None,
    allow_private: options.AllowPrivate = False,
    save_text: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=options.named,
            help="Folder to write the texts to that offsets refer to, a file each.",
        ),
    ] = None,
) -> None:
    """Tag articles with topics.

    A bad text is reported on standard error and never costs the good ones: exit code 3
    when some texts were rejected, 1 when all were.

    Example: topicml classify data/raw/000_67757e0a190ff99f.txt
    """
    options.check_thresholds(threshold, min_precision, relevance)
    share = options.share_of(second_opinion, second_opinion_share)
    fields = options.record_fields(text_field, id_field, title_field, keep)
    asked = _asked_kind(output, output_format)
    if asked == "html":
        from topicml.report.article import with_page_fields

        fields = with_page_fields(fields)
    reading = options.read_options(fields, encoding, unit, delimiter, no_header)
    web = WebPages(urls or [], allow_private)
    given = [] if urls and not sources else given_or_stdin(sources)
    inputs = Inputs(given, input_format, reading, web, follow_links=follow_links)
    check_output(output, inputs.paths, force=force)
    if save_text:
        inputs.texts = TextFolder(save_text, inputs.paths, force=force)
    kind, compression = _output_kind(output, asked)
    store = options.model_store(models_dir)
    path = store.find(model)
    if explain:
        _check_explained(kind, second_opinion, path)
    opened = open_for_use(path, options.note)
    opened.scorer.use(backend_for(inputs.size))
    tagger = make_tagger(
        opened,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
        second=open_for_use(store.find(second_opinion), options.note) if second_opinion else None,
        share=share,
    )
    groups = inputs.tag(tagger)
    explained = _explaining(opened, tagger.thresholds) if explain else None
    if kind == "table":
        count = _write_tables(groups, tagger.thresholds, output, explained)
    elif kind == "html":
        count = _write_page(groups, opened, tagger.thresholds, inputs, output)
    else:
        from topicml.io.writers.writer import check_kept

        written = Output(
            *(kind, compression, "probabilities", opened.scorer.topics, fields.keep),
            second_opinion=second_opinion is not None,
            raw_cells=raw_cells,
        )
        check_kept(written)
        count = _write_records(groups, written, output, explained)
    inputs.end(count, "tag")


def _asked_kind(output: str, output_format: Kind | None) -> Kind | None:
    """Return what is to be written where it is for people, or was said; None for the others."""
    if output_format or output == STDOUT:
        return output_format or "table"
    return _FOR_PEOPLE.get(Path(output).suffix.lower())


def _output_kind(output: str, asked: Kind | None) -> tuple[Kind, Compression]:
    if asked == "table" or asked == "html":
        return asked, "none"
    return output_kind(output, asked, (*TABLES, *PAGES))


def _check_explained(kind: str, second_opinion: str | None, model: Path) -> None:
    from topicml.explain.explainer import check_explainable

    if kind in ("csv", "parquet", "html"):
        why = ", which shows the words behind a tag anyway" if kind == "html" else ""
        raise typer.BadParameter(
            f"--explain goes with a table, jsonl and json, not with {kind}{why}"
        )
    if second_opinion is not None:
        raise typer.BadParameter(
            "--explain goes without --second-opinion: what a second model decides is not explained"
        )
    check_explainable(model)


def _explaining(model: Model, thresholds: Thresholds) -> Explaining:
    from topicml.explain.explainer import Explainer  # where asked for alone: they slow the start
    from topicml.explain.records import explain_article

    return partial(explain_article, explainer=Explainer(model, thresholds), full=False)


def _write_tables(
    groups: Iterator[list[TaggedArticle]],
    thresholds: Thresholds,
    output: str,
    explained: Explaining | None,
) -> int:
    draw = _drawing(thresholds, explained)
    count = 0
    with open_text_output(output) as out:
        for articles in groups:
            for article in articles:
                draw(article, out)
                count += 1
    return count


def _write_page(
    groups: Iterator[list[TaggedArticle]],
    model: Model,
    thresholds: Thresholds,
    inputs: Inputs,
    output: str,
) -> int:
    from topicml.report.tagged import Rejected, TaggedReport
    from topicml.report.words import words_behind

    report = TaggedReport(model, thresholds, words_behind(model))
    count = 0
    with open_text_output(output) as out:
        for articles in groups:
            for article in articles:
                report.add(article)
                count += 1
        out.write(report.render(Rejected(inputs.rejects.count, inputs.rejects.lines)))
    return count


def _drawing(
    thresholds: Thresholds, explained: Explaining | None
) -> Callable[[TaggedArticle, IO[str]], None]:
    if explained:
        from topicml.explain.terminal import write_explained_table

        return lambda article, out: write_explained_table(explained(article), thresholds, out)
    from topicml.io.writers.table import write_table  # rich takes long to import

    return lambda article, out: write_table(article, thresholds, out)


def _write_records(
    groups: Iterator[list[TaggedArticle]],
    written: Output,
    output: str,
    explained: Explaining | None,
) -> int:
    from topicml.io.writers.writer import write_stream

    def record(article: TaggedArticle) -> dict[str, Any]:
        if explained:
            return explained(article).to_dict(full=False)
        return article.to_dict(written.detail)

    records = ([record(article) for article in group] for group in groups)
    with open_output(output) as out:
        return write_stream(records, written, out)
