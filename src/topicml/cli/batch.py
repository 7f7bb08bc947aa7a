"""``topicml batch``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from topicml.cli import options
from topicml.cli.classify import EXIT_SOME_REJECTED
from topicml.models.tagger import SHARE
from topicml.tagging.articles import Detail

if TYPE_CHECKING:
    from topicml.batch.job import Job

EXIT_SIGNAL = 128  # and the signal's number: what shells expect


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="JSONL, CSV, TSV, Parquet, text, HTML or WARC, each also .gz or .zst; "
            "folders, globs, or - for stdin.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="File to make: .jsonl, .csv (.gz, .zst), .parquet; - for stdout."
        ),
    ],
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    title_field: options.TitleField = "title",
    keep: options.Keep = None,
    raw_cells: options.RawCells = False,
    detail: Annotated[Detail, typer.Option(help="How much is said of each record.")] = "sentence",
    unit: options.Unit = "article",
    threshold: options.Threshold = None,
    min_precision: options.MinPrecision = None,
    relevance: options.Relevance = None,
    input_format: options.InputFormat = None,
    encoding: options.Encoding = None,
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
            help="File for records that cannot be tagged.", show_default="OUT.rejects.jsonl"
        ),
    ] = None,
    record_seconds: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one record may take.")
    ] = 60.0,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="What runs the job.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster.", show_default="one of this machine")
    ] = None,
    model: options.Model = None,
    second_opinion: options.SecondOpinion = None,
    second_opinion_share: options.SecondOpinionShare = SHARE,
    models_dir: options.ModelsDir = None,
    log_format: Annotated[
        Literal["text", "json"], typer.Option(help="How progress is told on standard error.")
    ] = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors only.")] = False,
) -> None:
    """Tag a news dump: one record out for each record in, in order, nothing lost.

    Records that cannot be tagged go to OUT.rejects.jsonl with the reason, and the exit code
    is 3. A run that was stopped goes on where it was when the same command is given again.

    Example: topicml batch dump.jsonl.gz -o tags.jsonl.gz --jobs 4
    """
    from topicml.batch.job import Job

    options.check_encoding(encoding)
    options.check_thresholds(threshold, min_precision, relevance)
    store = options.model_store(models_dir)
    job = Job(
        inputs=tuple(inputs),
        output=output,
        model=store.find(model),
        second=store.find(second_opinion) if second_opinion else None,
        second_share=second_opinion_share,
        fields=options.record_fields(text_field, id_field, title_field, keep),
        encoding=encoding,
        delimiter=options.column_delimiter(delimiter),
        has_header=not no_header,
        raw_cells=raw_cells,
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
    )
    if address and engine != "ray":
        raise typer.BadParameter("--address is for --engine ray")
    summary = _run(job, engine, address, log_format, quiet)
    if summary["rejected"]:
        raise typer.Exit(EXIT_SOME_REJECTED)


def _run(
    job: Job, engine: str, address: str | None, log_format: str, quiet: bool
) -> dict[str, Any]:
    from topicml.cli.progress import make_reporter

    with make_reporter(quiet, log_format) as reporter:
        if engine == "ray":
            from topicml.batch.engines.ray import run_ray

            summary: dict[str, Any] = run_ray(job, reporter, address)
        else:
            from topicml.batch.run import run_batch

            with _stoppable(job):
                summary = run_batch(job, sys.stdin.buffer, sys.stdout.buffer, reporter)
    reporter.finish(summary)
    return summary


@contextmanager
def _stoppable(job: Job) -> Iterator[None]:
    """End in one line where a user or the system stops the run."""

    def stop(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt as err:
        number = err.args[0] if err.args else signal.SIGINT
        again = "" if job.output == "-" else " Run the same command again to go on."
        typer.echo(f"error: stopped by {signal.Signals(number).name}.{again}", err=True)
        raise typer.Exit(EXIT_SIGNAL + number) from err
    finally:
        signal.signal(signal.SIGTERM, before)
