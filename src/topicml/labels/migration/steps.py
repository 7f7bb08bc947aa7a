"""A migration: a TOML file that says what becomes of topics, and the version they have then."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from topicml.errors import LabelError, did_you_mean
from topicml.taxonomy import ID, Taxonomy
from topicml.toml import parse_toml

Kind = Literal["rename", "merge", "split", "retire"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_TEXTS = ("name", "definition", "excludes", "settled")
_NEEDED = ("name", "definition")
_KEYS: dict[Kind, tuple[str, ...]] = {
    "rename": ("from", "to", *_TEXTS),
    "merge": ("from", "to", *_TEXTS),
    "split": ("from", "to"),
    "retire": ("from",),
}
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,9}\Z")  # it names a folder


@dataclass(frozen=True, slots=True)
class Target:
    """A topic that a step makes or keeps.

    Attributes:
        id: Its id.
        texts: What is said of it: ``name``, ``definition``, ``excludes``, ``settled``; what is
            not there stays as it is.
    """

    id: str
    texts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one topic or several.

    Attributes:
        kind: Which of ``KINDS``.
        sources: Topics of the old scheme.
        targets: Topics of the new one that take their place.
    """

    kind: Kind
    sources: tuple[str, ...]
    targets: tuple[Target, ...] = ()

    def __str__(self) -> str:
        head = f"{self.kind} {', '.join(self.sources)}"
        return f"{head} → {', '.join(t.id for t in self.targets)}" if self.targets else head


@dataclass(frozen=True, slots=True)
class Moved:
    """What a set of topics is in the new scheme: ``topics``, and what of the old one is open."""

    topics: tuple[str, ...]
    split: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """Steps that are taken at once, each topic in one of them at most.

    Attributes:
        path: The file.
        content: What it holds.
        version: Of the scheme behind it.
        steps: In the file's order, kind by kind.
    """

    path: Path
    content: bytes
    version: str
    steps: tuple[Step, ...]

    @property
    def becomes(self) -> dict[str, Step]:
        """The step of each topic that is in one."""
        return {source: step for step in self.steps for source in step.sources}

    def move(self, topics: Iterable[str]) -> Moved:
        """Return what a sentence's topics are; what was split is none until somebody decides."""
        becomes, moved, split = self.becomes, set[str](), set[str]()
        for topic in topics:
            step = becomes.get(topic)
            if step is None:
                moved.add(topic)
            elif step.kind == "split":
                split.add(topic)
            else:
                moved.update(target.id for target in step.targets)
        return Moved(tuple(sorted(moved)), tuple(sorted(split)))


def version_key(version: str) -> tuple[int, ...]:
    """Return by what versions are in order; whatever is no version comes before all."""
    if not _VERSION.match(version):
        return ()
    numbers = [int(number) for number in version.split(".")]
    while numbers[1:] and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def read_migration(path: Path) -> Migration:
    """Read a migration file.

    Raises:
        LabelError: It cannot be read, or contradicts itself.
    """
    try:
        content = path.read_bytes()
    except OSError as err:
        raise LabelError(
            err.strerror or "cannot be read", where=path, hint="Check the path."
        ) from err
    data = parse_toml(content, path, LabelError)
    _check_keys(data, ("to", *KINDS), path)
    version = data.get("to")
    if not isinstance(version, str) or not _VERSION.match(version):
        raise LabelError(
            f"'to' must be the scheme's new version, found {version!r}",
            where=path,
            hint='Write it as numbers with dots, as to = "2.1".',
        )
    steps = tuple(
        _step(kind, entry, f"{path}: {kind}")
        for kind in KINDS
        for entry in _entries(data.get(kind, []), f"{path}: {kind}")
    )
    if not steps:
        raise LabelError("no steps", where=path, hint=f"Write [[{']], [['.join(KINDS)}]].")
    _check_apart(steps, path)
    return Migration(path, content, version, steps)


def check_against(migration: Migration, taxonomy: Taxonomy) -> None:
    """Make sure that a scheme can take a migration's steps.

    Raises:
        LabelError: A topic is unknown, one to be made is there, or the version is no later one.
    """
    known, path = taxonomy.topic_ids, migration.path
    if taxonomy.version and not version_key(taxonomy.version):
        raise LabelError(
            f"the taxonomy's version {taxonomy.version!r} is not numbers with dots",
            where=path,
            hint='Nothing tells what is later: give it one as version = "1.0".',
        )
    if version_key(migration.version) <= version_key(taxonomy.version):
        raise LabelError(
            f"to {migration.version!r} is no later version: the taxonomy has {taxonomy.version!r}",
            where=path,
            hint="Raise it.",
        )
    for step in migration.steps:
        where = f"{path}: {step.kind}"
        taxonomy.check(step.sources, where)
        for target in step.targets:
            is_there = target.id in known
            if is_there and not (step.kind == "merge" and target.id in step.sources):
                raise LabelError(
                    f"there is a topic {target.id!r} already",
                    where=where,
                    hint="Take another id, or merge the two.",
                )
            if not is_there and step.kind != "rename":
                _check_texts(target, where)
    if not any(step.targets for step in migration.steps) and {*known} <= {*migration.becomes}:
        raise LabelError("no topic would be left", where=path, hint="Leave one, or rename it.")


def _check_texts(target: Target, where: str) -> None:
    missing = [key for key in _NEEDED if not target.texts.get(key)]
    if missing:
        raise LabelError(
            f"new topic {target.id!r} lacks {' and '.join(missing)}", where=where, hint="Give it."
        )


def _check_keys(entry: Mapping[str, Any], known: Sequence[str], where: str | Path) -> None:
    for key in entry:
        if key not in known:
            hint = f"{did_you_mean(key, known)}Known: {', '.join(known)}."
            raise LabelError(f"unknown key {key!r}", where=where, hint=hint)


def _entries(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise LabelError(
            "is no list of tables", where=where, hint="Write each as an entry under [[…]]."
        )
    return cast("list[dict[str, Any]]", value)


def _step(kind: Kind, entry: dict[str, Any], where: str) -> Step:
    _check_keys(entry, _KEYS[kind], where)
    given = entry.get("from")
    sources = given if kind == "merge" and isinstance(given, list) else [given]
    targets: list[Target] = []
    if kind == "split":
        parts = _entries(entry.get("to", []), f"{where}: to")
        for part in parts:
            _check_keys(part, ("id", *_TEXTS), where)
        targets = [_target(part.get("id"), part, where) for part in parts]
    elif kind != "retire":
        targets = [_target(entry.get("to"), entry, where)]
    step = Step(kind, tuple(_topic(source, "from", where) for source in sources), tuple(targets))
    _check_counts(step, where)
    return step


def _check_counts(step: Step, where: str) -> None:
    for many, least in (("merge", step.sources), ("split", [t.id for t in step.targets])):
        if step.kind == many and len(set(least)) < 2:
            raise LabelError(
                f"a {many} needs two topics or more, each once",
                where=where,
                hint=f"Found {', '.join(least) or 'none'}. For one, use [[rename]].",
            )
        if len(set(least)) < len(least):
            raise LabelError("a topic is named twice", where=where, hint="Name each once.")


def _target(identifier: object, entry: dict[str, Any], where: str) -> Target:
    topic = _topic(identifier, "id" if "id" in entry else "to", where)
    if not ID.match(topic):
        raise LabelError(
            f"topic id {topic!r} is not made of lower-case words joined by hyphens",
            where=where,
            hint="Write it like 'force-posture'.",
        )
    texts = {key: entry[key] for key in _TEXTS if key in entry}
    for key, value in texts.items():
        strings = value if key == "settled" and isinstance(value, list) else [value]
        is_list = isinstance(value, list)
        if is_list != (key == "settled") or not all(isinstance(one, str) for one in strings):
            kind = "a list of strings" if key == "settled" else "a string"
            raise LabelError(f"{key!r} must be {kind}", where=where, hint="Put it in quotes.")
    return Target(topic, texts)


def _topic(value: object, key: str, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise LabelError(
            f"{key!r} must be a topic id, found {value!r}",
            where=where,
            hint="Only a merge has several, as a list, in 'from'.",
        )
    return value


def _check_apart(steps: Sequence[Step], path: Path) -> None:
    """Make sure that no topic is in two steps, be it as what there is or as what is made."""
    becomes: dict[str, Step] = {}
    for step in steps:
        for source in step.sources:
            if source in becomes:
                _refuse(source, becomes[source], step, path)
            becomes[source] = step
    made: dict[str, Step] = {}
    for step in steps:
        for target in step.targets:
            _check_no_circle(target.id, step, becomes, path)
            other = made.get(target.id) or becomes.get(target.id, step)
            if other is not step:
                _refuse(target.id, other, step, path)
            made[target.id] = step


def _check_no_circle(target: str, step: Step, becomes: Mapping[str, Step], path: Path) -> None:
    """Make sure that following renames from a topic does not lead back to it."""
    way = [step.sources[0]]
    while step.kind == "rename" and target not in way:
        way.append(target)
        if target not in becomes:
            return
        step = becomes[target]
        target = step.targets[0].id if step.targets else ""
    if step.kind == "rename":
        raise LabelError(
            f"renames go in a circle: {' → '.join([*way, target])}",
            where=path,
            hint="Take a new id, or two migrations one after the other.",
        )


def _refuse(topic: str, first: Step, second: Step, path: Path) -> None:
    raise LabelError(
        f"two steps are about {topic!r}: {first}; {second}",
        where=path,
        hint="Make one of them, or two migrations one after the other.",
    )
