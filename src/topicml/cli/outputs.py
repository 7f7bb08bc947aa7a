"""Where commands write what they make: a file, or standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO, Literal, TypeVar

from topicml.errors import OutputError
from topicml.files import check_apart, check_outputs, is_device, path_of, replacing
from topicml.io.remote import is_address, show_address

STDOUT = "-"

TABLES: Mapping[str, Literal["table"]] = {".txt": "table", ".text": "table"}
PAGES: Mapping[str, Literal["html"]] = {".html": "html", ".htm": "html"}

_Kind = TypeVar("_Kind", bound=str)


def kind_of(output: str, kinds: Mapping[str, _Kind], default: _Kind) -> _Kind:
    """Return what a file name says is to be written.

    Args:
        output: The name, or ``-``.
        kinds: By suffix.
        default: For standard output, and for devices and pipes whose names say nothing.

    Raises:
        OutputError: The suffix is none of these.
    """
    found = kinds.get(Path(output).suffix.lower())
    if found is not None:
        return found
    if output == STDOUT or is_device(Path(output)):
        return default
    *first, last = kinds
    raise OutputError(
        "the name does not say the format",
        where=output,
        hint=f"Use {', '.join(first)} or {last}, or name it with --format.",
    )


def check_output(output: str, inputs: Iterable[str | Path], *, force: bool) -> None:
    """Make sure that nothing is written over an input or another file that is there.

    Raises:
        OutputError: Something would be, or the output is an address.
    """
    if is_address(output):
        raise OutputError(
            "this command writes files",
            where=show_address(output),
            hint="topicml batch writes there.",
        )
    if output == STDOUT:
        check_apart(path_of(sys.stdout.buffer), inputs)
    else:
        check_outputs([Path(output)], inputs, force=force)


def open_output(output: str) -> AbstractContextManager[BinaryIO]:
    """Return what to write to: standard output, or a file that is replaced when all is written."""
    return nullcontext(sys.stdout.buffer) if output == STDOUT else replacing(Path(output))


@contextmanager
def open_text_output(output: str) -> Iterator[IO[str]]:
    """Give ``open_output`` for text, written in UTF-8 at once; what has no such form becomes ?."""
    with open_output(output) as binary:
        out = io.TextIOWrapper(binary, "utf-8", "replace", newline="", write_through=True)
        try:
            yield out
        finally:
            out.detach()  # standard output stays open
