"""The ``topicml`` command: parses, calls the library, renders. Nothing is decided here."""

from __future__ import annotations

import errno
import os
import sys

from topicml.cli.app import make_app, needed_commands
from topicml.errors import TopicmlError
from topicml.text.normalise import printable

EXIT_FAILURE = 1
_OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO)


def main() -> None:
    """Run the command; an expected failure ends in one clean line and exit code 1."""
    try:
        make_app(needed_commands(sys.argv[1:]))()
    except TopicmlError as err:
        sys.stderr.write(f"error: {printable(str(err))}\n")
        sys.exit(EXIT_FAILURE)
    except OSError as err:
        if err.errno not in _OUTPUT_ERRORS:
            raise
        if err.errno != errno.EPIPE:  # or the reader of our output went away, as `head` does
            sys.stderr.write(f"error: the output cannot be written ({err.strerror})\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILURE)
