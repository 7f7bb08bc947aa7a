"""A taxonomy file in a new scheme, its comments and layout kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from topicml.errors import LabelError
from topicml.labels.migration.steps import Migration, Step

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AoT, Array

_BYTE_ORDER_MARK = "\ufeff"
_PROSE = ("definition", "excludes", "settled")


@dataclass(frozen=True, slots=True)
class MovedScheme:
    """A taxonomy file in the new scheme.

    Attributes:
        text: Of the file.
        open_cases: TOML of the worked cases that it no longer has, since a topic of theirs was
            split: somebody must say which part they carry.
        mentions: Topics that are gone and which its prose still names.
        cases: How many worked cases have changed.
    """

    text: str
    open_cases: str
    mentions: tuple[str, ...]
    cases: int


def move_scheme(text: str, migration: Migration) -> MovedScheme:
    """Return a taxonomy file's text, which has been read as such, in the new scheme.

    Raises:
        LabelError: Texts have exactly one topic, and would have none.
    """
    import tomlkit

    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    document = tomlkit.parse(text.removeprefix(mark).replace("\r\n", "\n"))
    if "version" not in document:
        document = tomlkit.parse('version = ""\n' + tomlkit.dumps(document))
    document["version"] = migration.version
    _check_kind(document.get("kind"), migration)
    cases = document.get("cases", [])
    count = _move_cases(cases, migration)
    open_cases = _take_open_cases(cases, migration)
    for step in migration.steps:
        _move_topics(document["topics"], step)
    gone = _move_mentions(document, migration)
    moved = tomlkit.dumps(document)
    return MovedScheme(mark + moved.replace("\n", line_end), open_cases, gone, count)


def _check_kind(kind: object, migration: Migration) -> None:
    for step in migration.steps:
        if kind == "multiclass" and step.kind == "retire":
            raise LabelError(
                f"in a multiclass scheme each text has one topic: {step} would leave it none",
                where=migration.path,
                hint="Merge it into another topic, or split it.",
            )


def _move_topics(topics: AoT, step: Step) -> None:
    """Give the step's targets the place of its sources."""
    ids = [str(topic["id"]) for topic in topics]
    kept = [target.id for target in step.targets if target.id in ids]
    place = ids.index((kept or step.sources)[0])
    if step.kind in ("rename", "merge"):
        (target,) = step.targets
        topic = topics[place]
        _set(topic, {"id": target.id, **target.texts})
        others = [ids.index(source) for source in step.sources if source != ids[place]]
        if "settled" not in target.texts:
            _join_settled(topic, [topics[other] for other in others])
        for other in sorted(others, reverse=True):
            _remove(topics, other)
    else:
        for number, target in enumerate(step.targets, start=1):
            _insert(topics, place + number, {"id": target.id, **target.texts})
        _remove(topics, place)


def _set(table: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        table[key] = value


def _join_settled(topic: Any, others: Iterable[Any]) -> None:
    """Keep what was settled of topics that another takes in."""
    for ruling in [ruling for other in others for ruling in other.get("settled", [])]:
        if "settled" not in topic:
            topic["settled"] = []
        topic["settled"].append(ruling)


def _insert(topics: Any, place: int, values: Mapping[str, Any]) -> None:
    import tomlkit
    from tomlkit.items import AoT

    table = tomlkit.table() if isinstance(topics, AoT) else tomlkit.inline_table()
    _set(table, values)
    if isinstance(topics, AoT):
        table.add(tomlkit.nl())
    topics.insert(place, table)


def _remove(tables: Any, place: int) -> None:
    """Remove an entry, but not the comment on what comes behind it, which the entry ends in."""
    from tomlkit.items import AoT

    if isinstance(tables, AoT) and place:
        body: list[tuple[Any, Any]] = tables[place].value.body
        last = max((n for n, (key, _) in enumerate(body) if key is not None), default=-1)
        behind = [item for _, item in body[last + 1 :]]
        blank = next((n for n, item in enumerate(behind) if not item.as_string().strip()), None)
        if blank is not None:
            for item in behind[blank + 1 :]:
                tables[place - 1].add(item)
    del tables[place]


def _move_cases(cases: Iterable[Any], migration: Migration) -> int:
    """Move the topics of worked cases; those split stay in ``topics``, to be taken out."""
    count = 0
    for case in cases:
        before = [*case["topics"]], [*case.get("near", [])]
        _replace(case["topics"], lambda topic: _targets(topic, migration, keep_split=True))
        if "near" in case:
            carried = {*case["topics"]}
            _replace(
                case["near"],
                lambda topic: [
                    one
                    for one in _targets(topic, migration)
                    if one not in carried  # noqa: B023
                ],
            )
        count += before != ([*case["topics"]], [*case.get("near", [])])
    return count


def _targets(topic: str, migration: Migration, *, keep_split: bool = False) -> list[str]:
    step = migration.becomes.get(topic)
    if step is None or (keep_split and step.kind == "split"):
        return [topic]
    return [target.id for target in step.targets]


def _replace(array: Array, targets: Callable[[str], list[str]]) -> None:
    """Replace topics in their places, each once."""
    seen: set[str] = set()
    places = []
    for topic in array:
        new = [one for one in targets(str(topic)) if one not in seen]
        seen.update(new)
        places.append((str(topic), new))
    for place, (topic, new) in reversed([*enumerate(places)]):
        if new == [topic]:
            continue
        for one in reversed(new[1:]):
            array.insert(place + 1, one)
        if new:
            array[place] = new[0]
        else:
            del array[place]


def _take_open_cases(cases: Any, migration: Migration) -> str:
    """Take out the worked cases of topics that are split, and return them as TOML."""
    import tomlkit

    split = {topic for topic, step in migration.becomes.items() if step.kind == "split"}
    places = [n for n, case in enumerate(cases) if split & {str(one) for one in case["topics"]}]
    taken = [cases[place].unwrap() for place in places]
    for place in reversed(places):
        _remove(cases, place)
    return tomlkit.dumps({"cases": taken}) if taken else ""


def _move_mentions(document: TOMLDocument, migration: Migration) -> tuple[str, ...]:
    """Move topics in backticks in the prose; return those that are gone and still named."""
    gone: dict[str, None] = {}

    def moved(item: Any) -> Any:
        text = item.as_string()
        for topic, step in migration.becomes.items():
            new = [target.id for target in step.targets]
            if f"`{topic}`" not in text or topic in new:
                continue
            if step.kind == "rename":
                text = text.replace(f"`{topic}`", f"`{new[0]}`")
            else:
                gone[topic] = None
        return text

    _rewrite(document, ("introduction", "rules"), moved)
    for topic in document["topics"]:
        _rewrite(topic, _PROSE, moved)
    return tuple(gone)


def _rewrite(table: Any, keys: Iterable[str], moved: Callable[[Any], str]) -> None:
    """Rewrite strings as they stand in the file, so that quotes and line ends stay."""
    import tomlkit

    for key in keys:
        value = table.get(key)
        if value is None:
            continue
        many = isinstance(value, list)
        places: list[tuple[Any, Any]] = [(value, n) for n in range(len(value))] if many else []
        for holder, place in places or [(table, key)]:
            item = holder[place]
            if (text := moved(item)) != item.as_string():
                holder[place] = tomlkit.value(text)
