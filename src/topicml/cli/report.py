"""``topicml report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from topicml.cli import options
from topicml.cli.exits import SOME_REJECTED
from topicml.cli.inputs import Rejects
from topicml.cli.outputs import PAGES, STDOUT, check_output, kind_of, open_text_output
from topicml.io.readers import Format

if TYPE_CHECKING:
    from topicml.report.trends_dates import Day

Kind = Literal["html", "csv", "json"]

_KINDS: dict[str, Kind] = {**PAGES, ".csv": "csv", ".json": "json"}


def report(
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULTS...",
            help="What batch or classify wrote: JSON Lines, JSON, CSV or Parquet, plain or "
            "compressed; folders and globs, or - for stdin.",
        ),
    ],
    output: options.Output = "-",
    output_format: Annotated[
        Kind | None,
        typer.Option(
            *("--format", "-f"),
            help="A page with plots and tables, or the table alone.",
            show_default="by --output's suffix, or html",
        ),
    ] = None,
    unit: Annotated[
        Literal["story", "sentence"],
        typer.Option(help="What shares are of; those of sentences are corrected."),
    ] = "story",
    by: Annotated[
        Literal["day", "week", "month", "quarter", "year"] | None,
        typer.Option(help="What a period is.", show_default="by the span of the dates"),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Show this topic alone; repeat for more.", show_default="all"),
    ] = None,
    date_field: Annotated[str, typer.Option(help="Field with the date.")] = "date",
    date_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="Of dates, such as '%d/%m/%Y'.",
            show_default="ISO 8601 and other plain ones",
        ),
    ] = None,
    source_field: Annotated[
        str | None,
        typer.Option(
            help="Field with the source.", show_default="the host of the url, or the file"
        ),
    ] = None,
    sources: Annotated[
        int, typer.Option(min=1, metavar="N", help="Sources shown by name; the rest is 'other'.")
    ] = 12,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First day, month or year.", show_default="all"),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last day, month or year.", show_default="all"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            *("--model", "-m"),
            metavar="NAME@VERSION",
            help="Only results of this model, where there are those of several.",
            show_default="the only one",
        ),
    ] = None,
    models_dir: options.ModelsDir = None,
    error_rates: Annotated[
        Path | None,
        typer.Option(
            help="Correct by the error rates in this file, which evaluate --metrics-file wrote.",
            show_default="those in the model's manifest",
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Topics over time",
    input_format: Annotated[
        Format | None,
        typer.Option(help="Format of results.", show_default="by names and content"),
    ] = None,
    force: options.Force = False,
) -> None:
    """Count topics over time and by source in what batch or classify wrote.

    Near copies that batch --dedupe marked are counted once. Shares have 95 % intervals; those of
    sentences are also corrected for the errors that the model is known to make.

    Example: topicml report tags.jsonl --unit sentence --by month --output trends.html
    """
    from topicml.io.sources import list_sources, paths_of
    from topicml.report.trends import make_trends
    from topicml.report.trends_counts import Choice, count_stories
    from topicml.report.trends_errors import errors_of_file, errors_of_model
    from topicml.report.trends_page import render_trends
    from topicml.report.trends_records import count_filtered, read_stories
    from topicml.report.trends_tables import as_csv, as_json

    kind = output_format or kind_of(output, _KINDS, "html")
    if kind == "html" and output == STDOUT and sys.stdout.isatty():
        raise typer.BadParameter("name a file for the page with --output FILE.html")
    first, last = _days(since, until)
    choice = Choice(
        *(date_field, _form(date_format), source_field, model),
        since=first,
        until=last,
        needs_sentences=unit == "sentence",
    )
    listing = list_sources(results, input_format, results=True)
    if listing.errors:
        raise listing.errors[0]
    read = paths_of(listing.sources, sys.stdin.buffer) + ([error_rates] if error_rates else [])
    check_output(output, read, force=force)
    rejects = Rejects()
    stories = read_stories(
        *(listing.sources, sys.stdin.buffer), note=options.note, on_reject=rejects.tell
    )
    counts = count_stories(stories, choice)
    for line in listing.notes():
        options.note(line)
    errors = errors_of_model(options.model_store(models_dir), counts.model)
    if error_rates:
        errors = errors_of_file(error_rates, errors.topics)
    made = make_trends(
        *(counts, choice, errors),
        unit=unit,
        by=by,
        topics=topic or (),
        most_sources=sources,
        filtered=sum(map(count_filtered, listing.sources)),
    )
    for line in made.notes:
        options.note(line)
    if kind == "html":
        text = render_trends(made, title)
    else:
        text = as_csv(made) if kind == "csv" else as_json(made)
    with open_text_output(output) as out:
        out.write(text)
    if rejects.count:
        raise typer.Exit(SOME_REJECTED)


def _form(given: str | None) -> str | None:
    from topicml.report.trends_dates import is_form

    if given is not None and not is_form(given):
        raise typer.BadParameter(
            f"--date-format {given!r} is no form of dates with a year, such as '%d/%m/%Y'"
        )
    return given


def _days(since: str | None, until: str | None) -> tuple[Day | None, Day | None]:
    first, last = _day(since, "--since"), _day(until, "--until")
    if first and last and last < first[: sum(map(bool, last))]:
        raise typer.BadParameter(f"--since {since} is after --until {until}")
    return first, last


def _day(given: str | None, option: str) -> Day | None:
    from topicml.report.trends_dates import read_day

    if given is None:
        return None
    day = read_day(given)
    if day is None:
        raise typer.BadParameter(f"{option} {given!r} is no date such as 2024-05-31 or 2024")
    return day
