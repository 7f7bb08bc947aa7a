"""A small archive of two documents, and label records that point into it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from samples import write_lines

from topicml.labels.texts import sha1_of

MARKDOWN = """---
title: Notes
---
# Kitchen

**Fry** the [onions](https://example.org/onions) &amp; stir.[^1] Then rest.
"""
MARKDOWN_FORM = "Kitchen Fry the onions & stir. Then rest."
TRANSCRIPT = """<?xml version="1.0" encoding="UTF-8"?>
<document><title>Radio</title><content><![CDATA[
<p>Water the beds.<br/>Prune&nbsp;the roses.</p>]]></content></document>
"""
TRANSCRIPT_FORM = "Water the beds. Prune the roses."
FRY, REST, WATER, PRUNE = (
    "Fry the onions & stir.",
    "Then rest.",
    "Water the beds.",
    "Prune the roses.",
)
_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def reference_fields(identifier: str, text: str, *topics: str, **fields: Any) -> dict[str, Any]:
    """Return a label by reference to a sentence of the archive, or of nowhere."""
    return {
        "id": identifier,
        "repository": "owner/papers",
        "path": "notes/one.md",
        "start": max(MARKDOWN_FORM.find(text), 0),
        "length": len(text),
        "sha1": sha1_of(text),
        "topics": list(topics),
        "annotator": "tester",
        "status": "single",
        **fields,
    }


def spoken_fields(identifier: str, text: str, *topics: str) -> dict[str, Any]:
    place = {"repository": "owner/talks", "path": "one.xml", "start": TRANSCRIPT_FORM.find(text)}
    return reference_fields(identifier, text, *topics, **place)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *who, *arguments],
        env={**os.environ, **_QUIET},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit_files(folder: Path, **files: str) -> str:
    """Write files into an ordinary clone, made where there is none; return the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Files")
    return git(folder, "rev-parse", "HEAD")


def make_archives(folder: Path) -> Path:
    """Make two clones in ``folder/clones``, and labels of their sentences; return the labels."""
    papers, talks = folder / "clones/papers", folder / "clones/talks"
    commits = {
        "papers": commit_files(papers, **{"notes/one.md": MARKDOWN}),
        "talks": commit_files(talks, **{"one.xml": TRANSCRIPT}),
    }
    kinds = {"papers": "markdown", "talks": "transcript-xml"}
    tables = [
        f'[[archives]]\nrepository = "owner/{name}"\nurl = "file://{folder}/clones/{name}"\n'
        f'commit = "{commit}"\ntext = "{kinds[name]}"\n'
        'licence = "CC0-1.0"\nattribution = "Tester"\n'
        for name, commit in commits.items()
    ]
    labels = folder / "labels"
    labels.mkdir()
    (labels / "archives.toml").write_text("\n".join(tables), encoding="utf-8")
    return write_lines(
        labels / "real.jsonl",
        reference_fields("a", FRY, "cooking"),
        reference_fields("b", REST),
        spoken_fields("c", WATER, "gardening"),
        spoken_fields("d", PRUNE, "gardening"),
    )
