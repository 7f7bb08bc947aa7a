"""Figures as JSON, and as tables inside Markdown files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topicml.files import write_text


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between the two markers of a name in a Markdown file."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text(encoding="utf-8").split(begin)
    _, tail = rest.split(end)
    write_text(path, f"{head}{begin}\n{text}\n{end}{tail}")


def publish(name: str, result: Mapping[str, Any], tables: Mapping[str, str]) -> None:
    """Write a benchmark's figures to its JSON file and its tables into the README beside it."""
    folder = Path(__file__).parent
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    write_text(folder / f"{name}.json", text)
    for place, table in tables.items():
        write_between(folder / "README.md", place, table)
        print(table, end="\n\n")
