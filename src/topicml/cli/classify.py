"""``topicml classify``."""

from __future__ import annotations

import io
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, NamedTuple

import typer

from topicml.cli import options
from topicml.errors import InputError, OutputError, RemoteError
from topicml.files import check_apart, check_outputs, path_of, replacing
from topicml.io.readers import check_named, parse_block, read_blocks
from topicml.io.records import Fields, ReadOptions, Reject, list_counts
from topicml.io.records import Format as InputFormat
from topicml.io.remote import is_address, show_address
from topicml.io.sources import Source, list_sources, measure, paths_of, web_source
from topicml.io.writers.output import Compression, Format, Output, output_kind
from topicml.io.writers.texts import TextFolder
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.scoring.backends import backend_for
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.tagging.thresholds import Thresholds

if TYPE_CHECKING:
    from topicml.explain.records import ExplainedArticle
    from topicml.models.folder import Model

    Explaining = Callable[[TaggedArticle], ExplainedArticle]

EXIT_FAILURE, EXIT_SOME_REJECTED = 1, 3
_TABLE_SUFFIXES = (".txt", ".text")
_PAGE_SUFFIXES = (".html", ".htm")
_REJECTS_KEPT = 1000  # for a page

Kind = Literal["table", "html"] | Format


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
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            callback=options.named,
            help="File to write to, - for standard output.",
        ),
    ] = "-",
    force: options.Force = False,
    urls: Annotated[
        list[str] | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Web address of a page, a feed or a file to tag, too; may be repeated.",
        ),
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Ask addresses of this machine and its network, too."),
    ] = False,
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
    options.check_encoding(encoding)
    options.check_thresholds(threshold, min_precision, relevance)
    share = options.share_of(second_opinion, second_opinion_share)
    fields = options.record_fields(text_field, id_field, title_field, keep)
    asked = _asked_kind(output, output_format)
    if asked == "html":
        fields = replace(fields, also=_page_fields(fields))
    reading = ReadOptions(
        *(fields, encoding),
        any_text=unit == "sentence",
        delimiter=options.column_delimiter(delimiter),
        has_header=not no_header,
    )
    web = WebPages(urls or [], allow_private)
    given = [] if urls and not sources else given_or_stdin(sources)
    inputs = Inputs(given, input_format, reading, web, follow_links=follow_links)
    check_written(output, inputs.paths, force=force)
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
    if inputs.rejected:
        raise typer.Exit(EXIT_SOME_REJECTED if count else EXIT_FAILURE)
    if not count:
        raise InputError("nothing to tag: no input holds a text", hint="Check what was given.")


def given_or_stdin(sources: list[str] | None) -> list[str]:
    """Return what was given, or standard input where something comes from it."""
    if sources:
        return sources
    if sys.stdin.isatty():
        raise typer.BadParameter("give a file, a folder, or - for standard input")
    return ["-"]


class WebPages(NamedTuple):
    """Addresses to be asked, each when its turn comes.

    Attributes:
        urls: The addresses.
        allow_private: Whether they may be of this machine or its network.
    """

    urls: list[str]
    allow_private: bool = False


class Inputs:
    """What is read; whatever is wrong with it is said on standard error, and counted.

    Attributes:
        texts: Where texts are saved; None for nowhere.
        paths: Files to be read, standard input among them.
        size: Bytes of all inputs, or None where that is not known.
        rejected: How many inputs and texts were rejected so far.
        rejects: What was said of the first of them.
    """

    def __init__(
        self,
        given: list[str],
        input_format: InputFormat | None,
        reading: ReadOptions,
        web: WebPages | None = None,
        *,
        follow_links: bool = False,
    ) -> None:
        listing = list_sources(given, input_format, follow_links=follow_links)
        self._sources, self._reading, self._web = listing.sources, reading, web or WebPages([])
        self._format = input_format
        self.texts: TextFolder | None = None
        if not self._web.urls:  # what is there is not known yet
            check_named(self._sources, reading)
        self._stdin, self.size = measure(self._sources, sys.stdin.buffer)
        self.paths = paths_of(self._sources, sys.stdin.buffer)
        self.rejected = 0
        self.rejects: list[str] = []
        for line in listing.notes():
            options.note(line)
        for error in listing.errors:
            self._reject(str(error))

    def tag(self, tagger: Tagger) -> Iterator[list[TaggedArticle]]:
        """Yield the articles, some at a time."""
        skipped: Counter[str] = Counter()
        is_all = len(self._sources) + len(self._web.urls) == 1
        for source in itertools.chain(self._sources, self._web_sources()):
            try:
                blocks = read_blocks(
                    *([source], self._reading, self._stdin),
                    note=options.note,
                    is_all=is_all,
                )
                for block in blocks:
                    skipped += block.skipped()
                    documents = []
                    for item in parse_block(block, self._reading):
                        if isinstance(item, Reject):
                            self._reject(f"{item.place}: {item.detail}")
                            continue
                        if item.encoding != "utf-8" and item.source == item.id:
                            options.note(f"{item.source}: read as {item.encoding}")
                        documents.append(item)
                        if self.texts:
                            self.texts.save(item)
                    yield tagger.tag(documents)
            except InputError as err:
                self._reject(str(err))
        if skipped:
            options.note(f"skipped, no texts: {list_counts(dict(skipped.most_common()))}")

    def _web_sources(self) -> Iterator[Source]:
        from topicml.io.web import fetch_page

        for url in self._web.urls:
            try:
                yield web_source(
                    fetch_page(url, allow_private=self._web.allow_private), self._format
                )
            except RemoteError as err:
                self._reject(str(err))

    def _reject(self, line: str) -> None:
        self.rejected += 1
        if len(self.rejects) < _REJECTS_KEPT:
            self.rejects.append(line)
        options.tell(f"error: {line}")


def check_written(output: str, inputs: list[str | Path], *, force: bool) -> None:
    """Make sure that nothing is written over an input or another file that is there."""
    if is_address(output):
        raise OutputError(
            "this command writes files",
            where=show_address(output),
            hint="topicml batch writes there.",
        )
    if output == "-":
        check_apart(path_of(sys.stdout.buffer), inputs)
    else:
        check_outputs([Path(output)], inputs, force=force)


def _asked_kind(output: str, output_format: Kind | None) -> Kind | None:
    """Return what is to be written where it is for people, or was said; None for the others."""
    name = output.lower()
    if output_format is None and name.endswith(_PAGE_SUFFIXES):
        return "html"
    if output_format is None and (output == "-" or name.endswith(_TABLE_SUFFIXES)):
        return "table"
    return output_format


def _output_kind(output: str, asked: Kind | None) -> tuple[Kind, Compression]:
    if asked == "table" or asked == "html":
        return asked, "none"
    return output_kind(output, asked, (*_TABLE_SUFFIXES, *_PAGE_SUFFIXES[:1]))


def _page_fields(fields: Fields) -> tuple[str, ...]:
    from topicml.report.article import FIELDS

    return tuple(name for name in FIELDS if name not in fields.keep)


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
    with writable(output) as binary:
        out = io.TextIOWrapper(binary, encoding="utf-8", write_through=True)
        for articles in groups:
            for article in articles:
                draw(article, out)
                count += 1
        out.detach()
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
    with writable(output) as out:
        for articles in groups:
            for article in articles:
                report.add(article)
                count += 1
        page = report.render(Rejected(inputs.rejected, inputs.rejects))
        out.write(page.encode("utf-8", "replace"))
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
    with writable(output) as out:
        return write_stream(records, written, out)


def writable(output: str) -> AbstractContextManager[BinaryIO]:
    """Return what to write to: standard output, or a file that is replaced when all is written."""
    return nullcontext(sys.stdout.buffer) if output == "-" else replacing(Path(output))
