"""Tables of figures inside Markdown files."""

from __future__ import annotations

from pathlib import Path

from topicml.files import write_text


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between the two markers of a name in a Markdown file."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text(encoding="utf-8").split(begin)
    _, tail = rest.split(end)
    write_text(path, f"{head}{begin}\n{text}\n{end}{tail}")
