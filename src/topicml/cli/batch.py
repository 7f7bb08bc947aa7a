"""``topicml batch``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.cli.config import Config
from topicml.io.records import RECORD_SECONDS
from topicml.io.selection import Shard
from topicml.stopping import Stopped, end_within
from topicml.tagging.articles import Detail

if TYPE_CHECKING:
    from topicml.batch.job import Job
    from topicml.batch.progress import ProgressReporter
    from topicml.batch.tolerance import MaxRejects

_SECONDS_TO_END = 1.8


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="JSONL, CSV, TSV, Parquet, text, HTML, mails, feeds or WARC, also .gz or .zst; "
            "folders, globs, s3://, gs:// or https://, or - for stdin.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            callback=options.named,
            help="File to make: .jsonl, .json, .csv (.gz, .zst), .parquet, also s3:// or gs://; "
            "- for stdout.",
        ),
    ],
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    title_field: options.TitleField = "title",
    keep: options.Keep = None,
    raw_cells: options.RawCells = False,
    partition_by: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD,FIELD",
            help="Make a folder of Parquet files, in folders FIELD=VALUE; the fields are kept.",
        ),
    ] = None,
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
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Name the record that each near copy is a copy of.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="Processes; threads of a network.",
            show_default="1; all cores for a network",
        ),
    ] = None,
    force: options.Force = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first record that cannot be tagged.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            callback=options.named,
            help="File for records that cannot be tagged.",
            show_default="OUT.rejects.jsonl",
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            callback=options.named, help="File for the summary.", show_default="OUT.summary.json"
        ),
    ] = None,
    work: Annotated[
        Path,
        typer.Option(
            help="Folder for an output at s3:// or gs:// until it is whole.",
            show_default="the current one",
        ),
    ] = Path(),
    max_rejects: Annotated[
        str | None,
        typer.Option(
            metavar="N|P%",
            help="Rejected records, or percent of those read, beyond which the run fails.",
            show_default="all but one",
        ),
    ] = None,
    only_tagged: Annotated[
        bool, typer.Option("--only-tagged", help="Write only records with a topic.")
    ] = False,
    topics: Annotated[
        str | None,
        typer.Option(metavar="ID,ID", help="Write only records with one of these topics."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Read only so many records, the first ones.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Read only the I-th of N parts, which have no record in common."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read and written, and end.")
    ] = False,
    record_seconds: Annotated[
        float, typer.Option(min=0.1, max=86_400, help="Seconds that one record may take.")
    ] = RECORD_SECONDS,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="What runs the job.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster.", show_default="one of this machine")
    ] = None,
    model: options.Model = None,
    second_opinion: options.SecondOpinion = None,
    second_opinion_share: options.SecondOpinionShare = None,
    models_dir: options.ModelsDir = None,
    log_format: Annotated[
        Literal["text", "json"], typer.Option(help="How progress is told on standard error.")
    ] = "text",
    log_interval: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="Seconds between its lines of progress in JSON.", show_default="10"
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors only.")] = False,
    config: Config = None,
) -> None:
    """Tag a news dump: one record out for each record in, in order, nothing lost.

    Records that cannot be tagged go to OUT.rejects.jsonl with the reason, and the exit code
    is 3. A run that was stopped goes on where it was when the same command is given again.
    All options, fields and exit codes: docs/batch.md.

    Example: topicml batch dump.jsonl.gz -o tags.jsonl.gz --jobs 4
    """
    from topicml.batch.job import Job

    options.check_encoding(encoding)
    options.check_thresholds(threshold, min_precision, relevance)
    options.check_numbers({"--record-seconds": record_seconds, "--log-interval": log_interval})
    for option, path in (("--rejects", rejects), ("--summary", summary)):
        options.check_is_file(option, path)
    store = options.model_store(models_dir)
    parts_by = [] if partition_by is None else [partition_by]
    job = Job(
        inputs=tuple(inputs),
        output=output,
        model=store.find(model),
        second=store.find(second_opinion) if second_opinion else None,
        second_share=options.share_of(second_opinion, second_opinion_share),
        fields=options.record_fields(text_field, id_field, title_field, [*(keep or []), *parts_by]),
        encoding=encoding,
        follow_links=follow_links,
        delimiter=options.column_delimiter(delimiter),
        has_header=not no_header,
        raw_cells=raw_cells,
        partition_by=options.names(parts_by, "--partition-by"),
        detail=detail,
        unit=unit,
        threshold=threshold,
        min_precision=min_precision,
        relevance=relevance,
        input_format=input_format,
        dedupe=dedupe,
        seconds=record_seconds,
        jobs=jobs,
        force=force,
        strict=strict,
        rejects=rejects,
        summary=summary,
        config=config,
        work=work,
        max_rejects=_max_rejects(max_rejects),
        only_tagged=only_tagged,
        topics=options.names(None if topics is None else [topics], "--topics"),
        limit=limit,
        shard=_shard(shard),
    )
    if address and engine != "ray":
        raise typer.BadParameter("--address is for --engine ray")
    if log_interval is not None and log_format != "json":
        raise typer.BadParameter("--log-interval is for --log-format json")
    if dry_run and engine == "ray":
        raise typer.BadParameter("--dry-run is for --engine local")
    if dry_run:
        _plan(job, log_format, quiet)
        return
    from topicml.cli.progress import SECONDS_BETWEEN_LINES, make_reporter

    interval = SECONDS_BETWEEN_LINES if log_interval is None else log_interval
    with make_reporter(quiet, log_format, interval) as reporter:
        done = _run(job, engine, address, reporter)
    reporter.finish(done)
    if code := done["exit_code"]:
        raise typer.Exit(code)


def _max_rejects(given: str | None) -> MaxRejects | None:
    from topicml.batch.tolerance import MaxRejects

    try:
        return None if given is None else MaxRejects.parse(given)
    except ValueError:
        raise typer.BadParameter(
            f"--max-rejects {given} is neither a number of records, as 100, nor a share, as 2.5%"
        ) from None


def _shard(given: str | None) -> Shard | None:
    if given is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", given, re.ASCII)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise typer.BadParameter(f"--shard {given} is no part of several, as 1/4 or 4/4")
    return Shard(int(found[1]), int(found[2]))


def _plan(job: Job, log_format: str, quiet: bool) -> None:
    from topicml.batch.dry_run import plan_batch
    from topicml.cli.progress import make_reporter
    from topicml.cli.render_plan import plan_lines

    with make_reporter(quiet, log_format) as reporter:
        plan = plan_batch(job, reporter)
    lines = [json.dumps(plan, ensure_ascii=False)] if log_format == "json" else plan_lines(plan)
    typer.echo("\n".join(lines))


def _run(job: Job, engine: str, address: str | None, reporter: ProgressReporter) -> dict[str, Any]:
    if engine == "ray":
        from topicml.batch.engines.ray import run_ray

        return run_ray(job, reporter, address)
    from topicml.batch.run import run_batch

    end_within(_SECONDS_TO_END)
    try:
        return run_batch(job, sys.stdin.buffer, sys.stdout.buffer, reporter)
    except Stopped as stopped:
        if job.output != "-":
            same = "the same command, without --force," if job.force else "the same command"
            stopped.hint = f"Run {same} again to go on."
        raise
