"""``topicml classify``."""

from __future__ import annotations

import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, NamedTuple

import typer

from topicml.cli import options
from topicml.errors import InputError, OutputError, RemoteError
from topicml.files import check_apart, check_outputs, path_of, replacing
from topicml.io.readers import check_named, parse_block, read_blocks
from topicml.io.records import Format as InputFormat
from topicml.io.records import ReadOptions, Reject, list_counts
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

EXIT_FAILURE, EXIT_SOME_REJECTED = 1, 3
_TABLE_SUFFIXES = (".txt", ".text")


def classify(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER|GLOB|-]...",
            help="Text, HTML, MHTML, mails, mailboxes, feeds, JSON Lines, JSON, CSV, TSV, Parquet, "
            "WARC, plain or compressed; folders and globs of them, or - for stdin.",
            show_default="-",
        ),
    ] = None,
    output_format: Annotated[
        Literal["table", "jsonl", "json", "csv", "parquet"] | None,
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
    reading = ReadOptions(
        *(fields, encoding),
        any_text=unit == "sentence",
        delimiter=options.column_delimiter(delimiter),
        has_header=not no_header,
    )
    web = WebPages(urls or [], allow_private)
    given = [] if urls and not sources else _given(sources)
    inputs = Inputs(given, input_format, reading, web, follow_links=follow_links)
    _check_written(output, inputs, force=force)
    if save_text:
        inputs.texts = TextFolder(save_text, inputs.paths, force=force)
    kind, compression = _output_kind(output, output_format)
    store = options.model_store(models_dir)
    opened = open_for_use(store.find(model), _note)
    opened.scorer.use(backend_for(inputs.size))
    tagger = make_tagger(
        opened,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
        second=open_for_use(store.find(second_opinion), _note) if second_opinion else None,
        share=share,
    )
    groups = inputs.tag(tagger)
    if kind == "table":
        count = _write_tables(groups, tagger.thresholds, output)
    else:
        from topicml.io.writers.writer import check_kept

        written = Output(
            *(kind, compression, "probabilities", opened.scorer.topics, fields.keep),
            second_opinion=second_opinion is not None,
            raw_cells=raw_cells,
        )
        check_kept(written)
        count = _write_records(groups, written, output)
    if inputs.rejected:
        raise typer.Exit(EXIT_SOME_REJECTED if count else EXIT_FAILURE)
    if not count:
        raise InputError("nothing to tag: no input holds a text", hint="Check what was given.")


def _given(sources: list[str] | None) -> list[str]:
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
    """

    def __init__(
        self,
        given: list[str],
        input_format: InputFormat | None,
        reading: ReadOptions,
        web: WebPages | None = None,
        *,
        follow_links: bool,
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
        for line in listing.notes():
            _note(line)
        for error in listing.errors:
            self._reject(str(error))

    def tag(self, tagger: Tagger) -> Iterator[list[TaggedArticle]]:
        """Yield the articles, some at a time."""
        skipped: Counter[str] = Counter()
        is_all = len(self._sources) + len(self._web.urls) == 1
        for source in itertools.chain(self._sources, self._web_sources()):
            try:
                blocks = read_blocks(
                    *([source], self._reading, self._stdin), note=_note, is_all=is_all
                )
                for block in blocks:
                    skipped += block.skipped()
                    documents = []
                    for item in parse_block(block, self._reading):
                        if isinstance(item, Reject):
                            self._reject(f"{item.place}: {item.detail}")
                            continue
                        if item.encoding != "utf-8" and item.source == item.id:
                            _note(f"{item.source}: read as {item.encoding}")
                        documents.append(item)
                        if self.texts:
                            self.texts.save(item)
                    yield tagger.tag(documents)
            except InputError as err:
                self._reject(str(err))
        if skipped:
            _note(f"skipped, no texts: {list_counts(dict(skipped.most_common()))}")

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
        options.tell(f"error: {line}")


def _note(line: str) -> None:
    options.tell(f"note: {line}")


def _check_written(output: str, inputs: Inputs, *, force: bool) -> None:
    """Make sure that nothing is written over an input or another file that is there."""
    if is_address(output):
        raise OutputError(
            "classify writes files", where=show_address(output), hint="topicml batch writes there."
        )
    if output == "-":
        check_apart(path_of(sys.stdout.buffer), inputs.paths)
    else:
        check_outputs([Path(output)], inputs.paths, force=force)


def _output_kind(
    output: str, asked: Literal["table"] | Format | None
) -> tuple[Literal["table"] | Format, Compression]:
    is_table = output == "-" or output.lower().endswith(_TABLE_SUFFIXES)
    if asked == "table" or (asked is None and is_table):
        return "table", "none"
    return output_kind(output, asked, _TABLE_SUFFIXES)


def _write_tables(
    groups: Iterator[list[TaggedArticle]], thresholds: Thresholds, output: str
) -> int:
    from topicml.io.writers.table import write_table  # rich takes long to import

    count = 0
    with _writable(output) as binary:
        out = io.TextIOWrapper(binary, encoding="utf-8", write_through=True)
        for articles in groups:
            for article in articles:
                write_table(article, thresholds, out)
                count += 1
        out.detach()
    return count


def _write_records(groups: Iterator[list[TaggedArticle]], written: Output, output: str) -> int:
    from topicml.io.writers.writer import write_stream

    records = ([article.to_dict(written.detail) for article in group] for group in groups)
    with _writable(output) as out:
        return write_stream(records, written, out)


def _writable(output: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if output == "-" else replacing(Path(output))
