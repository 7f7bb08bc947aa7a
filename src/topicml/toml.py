"""TOML files, read with their two ways to be unreadable told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from topicml.errors import TopicmlError


def read_toml(path: Path, error: type[TopicmlError], hint: str = "") -> dict[str, Any]:
    """Return the tables of a TOML file, with or without a byte-order mark.

    Args:
        path: The file.
        error: Raised where it is none.
        hint: What to do then, besides what is always said.

    Raises:
        TopicmlError: It is missing or cannot be read, or is no TOML.
    """
    try:
        content = path.read_bytes()
    except OSError as err:
        what, advice = err.strerror or "cannot be read", "Check the path."
        raise error(what, where=path, hint=f"{advice} {hint}".strip()) from err
    return parse_toml(content, path, error, hint)


def parse_toml(
    content: bytes, path: Path, error: type[TopicmlError], hint: str = ""
) -> dict[str, Any]:
    """Return the tables of a TOML file's content; see ``read_toml``."""
    import tomllib  # not at the top: few runs have such a file

    try:
        return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (ValueError, RecursionError) as err:  # TOMLDecodeError and UnicodeDecodeError
        what, advice = f"not valid TOML ({err})", "Correct the file."
        raise error(what, where=path, hint=f"{advice} {hint}".strip()) from err
