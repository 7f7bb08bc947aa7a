"""``manifest.json`` of a model folder: its formats, its own hash, and the fields it must have.

Every format has ``format`` and ``manifest_sha256``, the hash of the file itself with the hash
in it set to zeros. So a damaged manifest is distinguished from one of a newer release.

1. The files of ``folder.FILES``, and in the manifest the SHA-256 of each.
2. ``scorer.npz`` carries lookup tables beside the vocabularies.
3. It carries none: they are made when they are needed, and those of format 2 are passed over.
4. ``kind`` says what reads a sentence: a ``linear`` model, as all before, or a ``network``, with
   ``adapters.safetensors`` in place of the pipeline, and ``base``: what the adapters belong to.
5. ``scheme`` says whether sentences carry one topic or any number (``kind``), and in which
   ``language`` they are; the scorer says the same. Before, all were multilabel and English.

The fields of the manifest are those of format 1 in all of them. Older folders have no
``taxonomy.version``, no ``labels.by_reference``, no ``margins`` and no ``fewest_known``, which is
0.4 in them, and nothing of where a model comes from but labels and taxonomy: no ``test``,
``parameters_from``, ``background``, ``parent`` and ``code``, and no ``error_rates``. To add format
6, say here what changes and raise ``FORMAT``. What changes in the manifest goes into a function in
``_UPGRADES`` that turns the fields of format 5 into those of format 6; what changes in another file
is told apart by that file's own reader. Folders on disk stay as they were made, and a small one of
each format stays with the tests.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from topicml.errors import ModelError
from topicml.network.base import BASE_FILES
from topicml.scheme import DEFAULT_SCHEME, KINDS, is_language
from topicml.tagging.second_opinion import SHARES

FORMAT = 5
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 10_000_000
"""Bytes; the metrics of a thousand topics are a tenth of it."""

LINEAR, NETWORK = "linear", "network"

NAME = re.compile(r"(?=.{1,100}\Z)[a-z0-9]+(-[a-z0-9]+)*\Z")  # of a folder, too
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\Z")
RESTORE = "Restore the folder from version control or train the version again."

Fields = dict[str, Any]
Rule = tuple[str, Callable[[Any], bool], str]
"""A field, by the names that lead to it; whether a value is right; what right is."""

_SELF = "manifest_sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*\Z", re.ASCII)
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")
_REVISION = re.compile(r"[0-9a-f]{40}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_UNSET = "0" * 64
_MISSING = object()


def read_manifest(path: Path) -> Fields:
    """Read the manifest of a model folder, and check whatever is used of it later.

    Args:
        path: The folder.

    Returns:
        The fields as the newest format has them; ``format`` stays that of the folder.

    Raises:
        ModelError: No model there, a damaged manifest, or a format this release cannot read.
    """
    file = path / MANIFEST
    try:
        text = read_text(file, MAX_MANIFEST_BYTES)
        fields = _parse(text)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise ModelError(
            "no model here: manifest.json is missing",
            where=path,
            hint="See what there is with: topicml models list",
        ) from err
    except (OSError, ValueError, RecursionError) as err:
        raise ModelError(f"manifest cannot be read ({err})", where=file, hint=RESTORE) from err
    digest = str(fields.get(_SELF))
    if not _DIGEST.match(digest) or digest != _own_digest(text, digest):
        raise ModelError("manifest does not agree with its own hash", where=file, hint=RESTORE)
    fields = _upgrade(fields, file)
    check_fields(fields, _FIELDS, file)
    if fields["kind"] == NETWORK and "base" not in fields:
        raise ModelError("a network names no base", where=file, hint=RESTORE)
    return fields


def read_text(file: Path, max_bytes: int) -> str:
    """Read a file of UTF-8 as it is, line ends included.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not UTF-8, or longer than ``max_bytes`` bytes.
    """
    with file.open("rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"longer than {max_bytes:,} bytes")
    return data.decode("utf-8")


def manifest_text(fields: Mapping[str, Any]) -> str:
    """Return a manifest as its file holds it, with its own hash in it.

    JSON knows no NaN: a figure that is undefined is written as null.
    """
    stated = _without_nan({**fields, _SELF: _UNSET})
    text = json.dumps(stated, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return text.replace(_UNSET, _own_digest(text, _UNSET))


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _own_digest(text: str, digest: str) -> str:
    """Return the SHA-256 of a manifest's bytes with its own digest set to zeros."""
    return hashlib.sha256(text.replace(digest, _UNSET).encode("utf-8")).hexdigest()


def _parse(text: str) -> Fields:
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the file, not of an argument
    # what could not be written again: NaN, infinity, half a character
    json.dumps(fields, allow_nan=False, ensure_ascii=False).encode("utf-8")
    return fields


def _unchanged(fields: Fields) -> Fields:
    return fields


def _of_linear_kind(fields: Fields) -> Fields:
    return {**fields, "kind": LINEAR}


def _of_the_only_scheme(fields: Fields) -> Fields:
    return {**fields, "scheme": asdict(DEFAULT_SCHEME)}


_UPGRADES: dict[int, Callable[[Fields], Fields]] = {
    1: _unchanged,
    2: _unchanged,
    3: _of_linear_kind,
    4: _of_the_only_scheme,
}
"""By format number, what turns its fields into those of the next format."""


def _upgrade(fields: Fields, file: Path) -> Fields:
    number = fields.get("format")
    if type(number) is not int or number < 1:  # True is 1, too
        raise ModelError(
            f"{number!r:.40} is no model format; this release reads 1 to {FORMAT}",
            where=file,
            hint=RESTORE,
        )
    if number > FORMAT:
        raise ModelError(
            f"model format {number} is newer than this release, which reads 1 to {FORMAT}",
            where=file,
            hint="Install a newer topicml release, or train the version again with this one.",
        )
    for older in range(number, FORMAT):
        fields = _UPGRADES[older](fields)
    return fields


def check_fields(
    fields: Mapping[str, Any], rules: Iterable[Rule], file: Path, hint: str = RESTORE
) -> None:
    """Make sure that the fields of a file are what is used of them.

    Raises:
        ModelError: One is not; it says which.
    """
    for dotted, is_right, expected in rules:
        found: Any = fields
        for key in dotted.split("."):
            found = found.get(key, _MISSING) if isinstance(found, dict) else _MISSING
        if not is_right(found):
            shown = "missing" if found is _MISSING else f"{json.dumps(found):.40}"
            raise ModelError(f"{dotted} is {shown}, not {expected}", where=file, hint=hint)


def optional(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a rule for what may be missing."""
    return lambda value: value is _MISSING or is_right(value)


def _fits(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_topics(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(topic, str) for topic in value)
        and len(set(value)) == len(value)
    )


def _is_scheme(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"kind", "language"}
        and value["kind"] in KINDS
        and is_language(value["language"])
    )


def is_digests(value: Any) -> bool:
    """Whether a value is an object of SHA-256 by name."""
    return isinstance(value, dict) and all(map(_fits(_DIGEST), value.values()))


def is_count(value: Any) -> bool:
    """Whether a value is a whole number from 0 on."""
    return type(value) is int and value >= 0


def _is_by_reference(value: Any) -> bool:
    if value is _MISSING:
        return True
    return isinstance(value, dict) and all(
        isinstance(count, dict) and all(is_count(count.get(k)) for k in ("labels", "with_text"))
        for count in value.values()
    )


def _is_test(value: Any) -> bool:
    return value is _MISSING or (
        isinstance(value, dict)
        and is_count(value.get("sentences"))
        and _fits(_DIGEST)(value.get("sha256"))
        and is_digests(value.get("files"))
    )


def _is_base(value: Any) -> bool:
    return value is _MISSING or (
        isinstance(value, dict)
        and value.keys() == {"name", "revision", "files"}
        and _fits(_REPOSITORY)(value.get("name"))
        and _fits(_REVISION)(value.get("revision"))
        and is_digests(value.get("files"))
        and value["files"].keys() == {*BASE_FILES}  # names, and no paths
    )


def _is_margins(value: Any) -> bool:
    return value is _MISSING or (
        isinstance(value, list)
        and len(value) == len(SHARES)
        and all(type(number) in (int, float) for number in value)
    )


def _is_parameters_from(value: Any) -> bool:
    if value is _MISSING or value is None:
        return True
    return (
        isinstance(value, dict)
        and isinstance(value.get("source"), str)
        and (value.get("tuned_on") is None or is_digests(value["tuned_on"]))
    )


def _is_background(value: Any) -> bool:
    return value in (_MISSING, None) or (isinstance(value, dict) and is_digests(value.get("files")))


def _is_parent(value: Any) -> bool:
    return value in (_MISSING, None) or (
        isinstance(value, dict)
        and _fits(VERSION)(value.get("version"))
        and _fits(_DIGEST)(value.get("sha256"))
    )


def _is_code(value: Any) -> bool:
    return value is _MISSING or (
        isinstance(value, dict)
        and isinstance(value.get("version"), str)
        and (value.get("commit") is None or _fits(_COMMIT)(value["commit"]))
        and value.get("modified") in (None, False, True)
    )


def _is_error_rates(value: Any) -> bool:
    figures = ("sensitivity", "sensitivity_size", "specificity", "specificity_size")
    return value is _MISSING or (
        isinstance(value, list)
        and all(
            isinstance(rates, dict)
            and isinstance(rates.get("topic"), str)
            and isinstance(rates.get("mix"), str)
            and all(_is_figure(rates.get(name, _MISSING)) for name in figures)
            and all(is_count(rates.get(name)) for name in ("documents", "positives", "negatives"))
            for rates in value
        )
    )


def _is_figure(value: Any) -> bool:
    return value is None or type(value) in (int, float)


_FIELDS: tuple[Rule, ...] = (
    ("name", _fits(NAME), "a name such as alliance-topics"),
    ("version", _fits(VERSION), "a version such as 1.2.3"),
    ("created", _fits(_DATE), "a date such as 2025-12-31"),
    ("kind", lambda value: value in (LINEAR, NETWORK), f"{LINEAR} or {NETWORK}"),
    ("base", _is_base, "a repository, its revision and an object of SHA-256 by file name"),
    ("margins", _is_margins, f"{len(SHARES)} numbers"),
    ("scheme", _is_scheme, f"an object of kind ({' or '.join(KINDS)}) and language"),
    ("topics", _is_topics, "a list of different topic ids"),
    ("files", is_digests, "an object of SHA-256 by file name"),
    ("parameters", lambda value: isinstance(value, dict), "an object"),
    (
        "parameters_from",
        _is_parameters_from,
        "a source, with SHA-256 by file name where they were tuned",
    ),
    ("background", _is_background, "an object with files, SHA-256 by file name, or null"),
    ("parent", _is_parent, "an object of a version and the SHA-256 of its manifest, or null"),
    ("code", _is_code, "an object of a version, a commit and whether it was modified"),
    ("versions.topicml", _is_string, "a string"),
    ("taxonomy.file", _is_string, "a string"),
    ("taxonomy.version", lambda value: value in (_MISSING, None) or _is_string(value), "a string"),
    ("taxonomy.sha256", _fits(_DIGEST), "a SHA-256"),
    ("labels.sentences", is_count, "a whole number"),
    ("labels.files", is_digests, "an object of SHA-256 by file name"),
    ("test", _is_test, "sentences, their hash and files"),
    ("labels.by_reference", _is_by_reference, "an object of counts by file name"),
    ("metrics.protocol", _is_string, "a string"),
    ("metrics.evaluation.headlines.micro_f1.value", _is_figure, "a number or null"),
    ("metrics.evaluation.headlines.macro_average_precision.value", _is_figure, "a number or null"),
    ("metrics.evaluation.error_rates", _is_error_rates, "a list of error rates by topic"),
)
"""What is used after reading."""
