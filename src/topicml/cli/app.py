"""The command tree. Modules that take long to import are imported inside the commands."""

from __future__ import annotations

import typer

from topicml.cli import batch, classify, evaluate, info, labels, models, train, tune

app = typer.Typer(
    name="topicml",
    help="Tag the sentences of defense news with topics, and train the model that does it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(classify.classify)
app.command()(batch.batch)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(tune.tune)
app.add_typer(models.app, name="models")
app.add_typer(labels.app, name="labels")
app.command()(info.info)
