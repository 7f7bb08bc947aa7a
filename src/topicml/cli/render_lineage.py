"""Where a model comes from, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from topicml.cli.render import render_rows
from topicml.text.normalise import printable

_Row = tuple[str, str, str | None, str | None]


def render_lineage(chain: Mapping[str, Any]) -> None:
    """Draw what ``trace_model`` gives, from predictions back."""
    rows = [
        (name, printable(what), sha256 and sha256[:12], state)
        for name, what, sha256, state in _rows(chain)
    ]
    render_rows(("lineage", "what", "SHA-256", "here"), rows)


def _rows(chain: Mapping[str, Any]) -> Iterator[_Row]:
    model, code, taxonomy = chain["model"], chain["code"], chain["taxonomy"]
    reference = chain["predictions"]["model"]
    yield "predictions", f'"model": "{reference}"', None, None
    in_use = ", current" if model["current"] else ""
    yield (
        "model",
        f"{reference}, {model['kind']}, made {model['created']}{in_use}",
        model["sha256"],
        None,
    )
    yield "code", _code(code), None, None
    for file in chain["labels"]:
        yield "labels", _file(file), file["sha256"], file["state"]
    version = f", version {taxonomy['version']}" if taxonomy["version"] else ""
    yield "taxonomy", taxonomy["file"] + version, taxonomy["sha256"], taxonomy["state"]
    values = ", ".join(f"{key} {value}" for key, value in chain["parameters"].items())
    source = chain["parameters_from"] or {"source": "source not noted"}
    on = f" on {', '.join(source['tuned_on'])}" if source.get("tuned_on") else ""
    yield "parameters", f"{source['source']}{on}: {values}", None, None
    if base := chain["base"]:
        yield "base", f"{base['name']} at {base['revision'][:12]}", None, None
    if background := chain["background"]:
        yield from _background(background)
    test = chain["test_set"]
    count = f"{test['sentences']} sentences of {test['documents']} documents"
    yield "test set", f"{count}. {test['protocol']}", None, None
    for parent in chain["parents"]:
        made = f", made {parent['created']}" if parent["created"] else ""
        yield "parent", parent["version"] + made, parent["sha256"], parent["state"]
    for found in chain["comparisons"]:
        failed = f" ({', '.join(found['failed'])})" if found["failed"] else ""
        files = ", ".join(found.get("data", {}))
        what = f"with {found.get('old')} on {files}: {found.get('verdict')}{failed}"
        yield "compared", f"{what}, {found.get('date')}", found.get("old_sha256"), None


def _code(code: Mapping[str, Any]) -> str:
    commit = f", commit {code['commit'][:12]}" if code["commit"] else ", commit not noted"
    return f"topicml {code['version']}{commit}{', modified' if code['modified'] else ''}"


def _file(file: Mapping[str, Any]) -> str:
    count = file.get("by_reference")
    texts = f", texts of {count['with_text']:,} of {count['labels']:,} labels" if count else ""
    return f"{file['file']}{texts}"


def _background(background: Mapping[str, Any]) -> Iterator[_Row]:
    files = background["files"] or {}
    noted = "" if files else "which one is not noted; the one beside the versions now"
    if background["made_of"] is None:
        yield "background", noted or "by its files", files.get("scorer.npz"), background["state"]
        return
    made = background["made_of"]
    counts = made["labels_sentences"], made["pool_sentences"]
    labels, pool = ("?" if count is None else f"{count:,}" for count in counts)
    what = f"{noted + ': ' if noted else ''}{labels} labelled and {pool} unlabelled sentences"
    yield "background", what, files.get("scorer.npz"), background["state"]
    for kind in ("labels", "pool"):
        for file in made[kind]:
            yield f"… its {kind}", _file(file), file["sha256"], file["state"]
    if teacher := background["teacher"]:
        base = f"{teacher.get('base')} at {str(teacher.get('revision'))[:12]}"
        yield "… its teacher", base, teacher["adapters"], None
