"""``topicml batch``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from topicml.cli.classify import EXIT_SOME_REJECTED, Unit
from topicml.cli.options import ModelOption, ModelsDirOption, model_store

if TYPE_CHECKING:
    from topicml.batch.job import Job

EXIT_SIGNAL = 128  # and the signal's number: what shells expect


class Detail(StrEnum):
    """How much is said of each record."""

    ARTICLE = "article"
    SENTENCE = "sentence"
    PROBABILITIES = "probabilities"


class InputFormat(StrEnum):
    """How inputs are read."""

    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    TXT = "txt"
    HTML = "html"
    WARC = "warc"


class Engine(StrEnum):
    """What runs the job."""

    LOCAL = "local"
    RAY = "ray"


class LogFormat(StrEnum):
    """How progress is told."""

    TEXT = "text"
    JSON = "json"


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
    text_field: Annotated[str, typer.Option(help="Field with the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field with the id.")] = "id",
    title_field: Annotated[
        str | None, typer.Option(help="Field with a title, read as the first paragraph.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="Field to carry through; repeat for more.")
    ] = None,
    detail: Annotated[
        Detail, typer.Option(help="How much is said of each record.")
    ] = Detail.SENTENCE,
    unit: Annotated[
        Unit, typer.Option(help="Split texts into sentences, or take each as one.")
    ] = Unit.ARTICLE,
    min_precision: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Give only tags this sure, as in classify."),
    ] = None,
    input_format: Annotated[
        InputFormat | None, typer.Option(help="Format of inputs.", show_default="by their names")
    ] = None,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Name the record that each near copy is a copy of.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Start over and replace what is there.")
    ] = False,
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
    engine: Annotated[Engine, typer.Option(help="What runs the job.")] = Engine.LOCAL,
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster.", show_default="one of this machine")
    ] = None,
    model: ModelOption = None,
    models_dir: ModelsDirOption = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="How progress is told on standard error.")
    ] = LogFormat.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors only.")] = False,
) -> None:
    """Tag a news dump: one record out for each record in, in order, nothing lost.

    Records that cannot be tagged go to OUT.rejects.jsonl with the reason, and the exit code
    is 3. A run that was stopped goes on where it was when the same command is given again.

    Example: topicml batch dump.jsonl.gz -o tags.jsonl.gz --jobs 4
    """
    from topicml.batch.job import Job
    from topicml.io.records import Fields

    job = Job(
        inputs=tuple(inputs),
        output=output,
        model=model_store(models_dir).find(model),
        fields=Fields(text_field, id_field, title_field, tuple(keep or ())),
        detail=detail.value,
        unit=unit.value,
        min_precision=min_precision,
        input_format=input_format and input_format.value,
        dedupe=dedupe,
        seconds=record_seconds,
        jobs=jobs,
        force=force,
        strict=strict,
        rejects=rejects,
    )
    if address and engine is not Engine.RAY:
        raise typer.BadParameter("--address is for --engine ray")
    summary = _run(job, engine, address, log_format, quiet)
    if summary["rejected"]:
        raise typer.Exit(EXIT_SOME_REJECTED)


def _run(
    job: Job, engine: Engine, address: str | None, log_format: LogFormat, quiet: bool
) -> dict[str, Any]:
    from topicml.cli.progress import make_watcher

    if engine is Engine.RAY:
        from topicml.batch.engines.ray import run_ray

        with make_watcher(quiet, log_format.value) as watcher:
            summary: dict[str, Any] = run_ray(job, address, watcher.update)
    else:
        from topicml.batch.run import run_batch

        with _stoppable(job), make_watcher(quiet, log_format.value) as watcher:
            summary = run_batch(job, sys.stdin.buffer, sys.stdout.buffer, watcher.update)
    watcher.finish(summary)
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
