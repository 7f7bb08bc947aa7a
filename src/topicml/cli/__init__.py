"""The ``topicml`` command: parses, calls the library, renders. Nothing is decided here."""

from __future__ import annotations

import os
import sys

from topicml.cli.app import make_app, needed_commands
from topicml.errors import TopicmlError

EXIT_FAILURE = 1


def main() -> None:
    """Run the command; an expected failure ends in one clean line and exit code 1."""
    try:
        make_app(needed_commands(sys.argv[1:]))()
    except TopicmlError as err:
        sys.stderr.write(f"error: {err}\n")
        sys.exit(EXIT_FAILURE)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILURE)
