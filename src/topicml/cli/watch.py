"""``topicml watch``."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.cli.exits import SOME_REJECTED
from topicml.errors import check_known
from topicml.io.records import ALL
from topicml.models.proven import open_for_use
from topicml.models.tagger import make_tagger
from topicml.tagging.articles import Detail

if TYPE_CHECKING:
    from topicml.models.folder import Model
    from topicml.tagging.thresholds import Thresholds
    from topicml.watch.pages import PageFolder
    from topicml.watch.recorder import Arrival

_LONGEST_TITLE = 80
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def watch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER|FEED...",
            help="Folders that articles arrive in; files or web addresses of feeds (RSS, Atom).",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            *("--output", "-o"),
            callback=options.named,
            help="File of JSON Lines that records are appended to.",
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=options.named,
            help="Folder to write a page of each article to, as classify --format html does.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOPIC",
            help="Print only articles with this topic; repeat for more. All are written.",
            show_default="all",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when what is there is tagged, as for cron.")
    ] = False,
    settle: Annotated[
        float,
        typer.Option(
            min=0.0, max=3600.0, help="Seconds without a change after which a file is whole."
        ),
    ] = 2.0,
    every: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Between two looks at an address: 90s, 15m, 1h; from 1m."
        ),
    ] = "15m",
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    title_field: options.TitleField = "title",
    keep: options.Keep = None,
    detail: Annotated[Detail, typer.Option(help="How much is said of each record.")] = "sentence",
    unit: options.Unit = "article",
    threshold: options.Threshold = None,
    min_precision: options.MinPrecision = None,
    relevance: options.Relevance = None,
    input_format: options.InputFormat = None,
    encoding: options.Encoding = None,
    follow_links: options.FollowLinks = False,
    delimiter: options.Delimiter = None,
    no_header: options.NoHeader = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Tag the pages that a feed links to, not what it says of them."
        ),
    ] = False,
    allow_private: options.AllowPrivate = False,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
) -> None:
    """Tag articles as they arrive in a folder or a feed, each once, until it is stopped.

    Each is a line of the output and a line on the terminal, and with --html a page. A run that
    was stopped or killed goes on with the same command, and repeats nothing.

    Example: topicml watch inbox --output tags.jsonl --only force-posture
    """
    from topicml.scoring.backends import backend_for
    from topicml.watch.feed import LEAST_EVERY
    from topicml.watch.run import WatchJob, watch_sources

    fields = options.record_fields(text_field, id_field, title_field, keep)
    if follow and not {"url", ALL} & {*fields.keep}:
        fields = replace(fields, keep=(*fields.keep, "url"))
    reading = options.read_options(fields, encoding, unit, delimiter, no_header)
    options.check_thresholds(threshold, min_precision, relevance)
    options.check_numbers({"--settle": settle})
    seconds = _seconds(every)
    if seconds < LEAST_EVERY:
        raise typer.BadParameter(f"--every {every} is less than a minute")
    store = options.model_store(models_dir)
    opened = open_for_use(store.find(model), options.note)
    check_known(only or (), opened.scorer.topics, "--only")
    opened.scorer.use(backend_for(0))
    tagger = make_tagger(
        opened,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        unit=unit,
    )
    job = WatchJob(
        sources=tuple(sources),
        output=output,
        options=reading,
        input_format=input_format,
        follow_links=follow_links,
        detail=detail,
        settle=settle,
        every=seconds,
        allow_private=allow_private,
        follow=follow,
        once=once,
    )
    shown = {*only} if only else None
    pages = _pages(html, opened, tagger.thresholds) if html else None
    rejected = watch_sources(
        *(job, tagger, lambda arrival: _print(arrival, shown), options.tell), pages
    )
    if rejected:
        raise typer.Exit(SOME_REJECTED)


def _pages(folder: Path, model: Model, thresholds: Thresholds) -> PageFolder:
    from topicml.report.tagged import page_drawer
    from topicml.watch.pages import PageFolder

    return PageFolder(folder, page_drawer(model, thresholds))


def _print(arrival: Arrival, shown: set[str] | None) -> None:
    """Print a line of an article: when, topics, title, id."""
    article = arrival.article
    topics = [topic.topic for topic in article.topics]
    if shown is not None and not shown.intersection(topics):
        return
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
    title = " ".join(article.text.strip().partition("\n")[0].split())
    if len(title) > _LONGEST_TITLE:
        title = title[: _LONGEST_TITLE - 1] + "…"
    copy_of = arrival.record["duplicate_of"]
    copied = f" (copy of {copy_of})" if copy_of is not None else ""
    options.say(f"{now} | {options.topic_list(topics)} | {title} | {article.id}{copied}")


def _seconds(every: str) -> float:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd]?)", every.strip())
    if not found:
        raise typer.BadParameter(f"--every {every!r} is no time such as 90s, 15m or 1h")
    return int(found[1]) * _UNITS[found[2] or "s"]
