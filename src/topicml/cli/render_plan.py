"""What a batch run would do, in lines for people."""

from __future__ import annotations

from typing import Any

from topicml.io.records import counted, list_counts
from topicml.text.normalise import printable

_MOST_FILES = 20


def plan_lines(plan: dict[str, Any]) -> list[str]:
    """Return what ``batch.dry_run.plan_batch`` says as lines."""
    files = plan["files"]
    lines = [
        f"{counted(len(files), 'file')}, {_bytes(plan['bytes'])} ({list_counts(plan['readers'])})"
    ]
    lines += [
        f"- {file['name']}: {file['reader']}, {_bytes(file['bytes'])}"
        for file in files[:_MOST_FILES]
    ]
    if len(files) > _MOST_FILES:
        lines.append(f"- and {len(files) - _MOST_FILES:,} more")
    lines.append(
        f"fields of the first record: {', '.join(plan['fields']) or 'none, or not to be told'}"
    )
    lines.append(f"model: {plan['model']}")
    kind = plan["format"] + ("" if plan["compression"] == "none" else f", {plan['compression']}")
    output = "standard output" if plan["output"] == "-" else plan["output"]
    lines.append(f"writes: {output}: {kind}")
    lines.append(f"rejects: {plan['rejects'] or 'standard error'}")
    lines.append(f"summary: {plan['summary'] or 'none'}")
    if done := plan["done"]:
        lines.append(
            f"goes on where an unfinished run was: {counted(done['records'], 'record')}, "
            f"{_bytes(done['bytes'])} of the input are done"
        )
    else:
        lines.append("starts at the beginning")
    return [printable(line) for line in lines]


def _bytes(size: int | None) -> str:
    return "length unknown" if size is None else counted(size, "byte")
