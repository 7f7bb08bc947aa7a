"""The label scheme as data: topics, rules, settled and worked cases, read from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topicml.errors import LabelError, TaxonomyError, TopicmlError, check_known, did_you_mean
from topicml.scheme import DEFAULT_SCHEME, KINDS, Scheme, is_language
from topicml.toml import parse_toml, read_toml

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
"""What the id of a topic is like, and the name of a model."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        id: Lower-case words joined by hyphens.
        name: For readers.
        definition: What a sentence must say something about to carry it.
        excludes: What does not count.
        settled: Rulings on sentences that annotators asked about.
    """

    id: str
    name: str
    definition: str
    excludes: str = ""
    settled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """A sentence with its right topics, as an example for annotators.

    Attributes:
        text: The sentence.
        topics: Those it carries.
        near: Those that it does not carry, though a reader might think so.
    """

    text: str
    topics: tuple[str, ...]
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A label scheme. The order of ``topics`` is the order of columns in every matrix.

    ``version`` says which state of the scheme this is, ``license`` what its models are given away
    under, ``meant_for`` which texts they are to tag: each empty where the file does not say.
    """

    name: str
    title: str
    introduction: str
    topics: tuple[Topic, ...]
    rules: tuple[str, ...] = ()
    cases: tuple[WorkedCase, ...] = ()
    version: str = ""
    scheme: Scheme = DEFAULT_SCHEME
    license: str = ""
    meant_for: str = ""

    @property
    def topic_ids(self) -> tuple[str, ...]:
        """Topic ids in column order."""
        return tuple(topic.id for topic in self.topics)

    def check(
        self, topics: Iterable[str], where: str, error: type[TopicmlError] = LabelError
    ) -> None:
        """Raise an error that names the first topic the taxonomy does not have."""
        check_known(topics, self.topic_ids, where, error)

    def check_label(self, topics: Sequence[str], where: str) -> None:
        """Raise an error for what is no label: an unknown topic, not one where one is due."""
        self.check(topics, where)
        if self.scheme.is_multiclass and len(topics) != 1:
            raise LabelError(
                f"{', '.join(topics) or 'no topic'}, where a multiclass scheme has exactly one",
                where=where,
                hint='Label it with one topic, or give it "status": "skipped".',
            )

    def to_markdown(self) -> str:
        """Render the codebook that annotators read."""
        lines = [f"# Codebook: {self.title}", ""]
        if self.version:
            lines += [f"Version {self.version}", ""]
        lines += [self.introduction.strip(), ""]
        if self.scheme.is_multiclass:
            lines += ["Each text carries exactly one topic.", ""]
        lines += ["| id | topic | the sentence says something about … | not |", "|---|---|---|---|"]
        lines += [
            f"| `{t.id}` | {t.name} | {t.definition} | {t.excludes or '–'} |" for t in self.topics
        ]
        if self.rules:
            lines += ["", "## Rules", ""]
            lines += [f"{number}. {rule}" for number, rule in enumerate(self.rules, start=1)]
        settled = [topic for topic in self.topics if topic.settled]
        if settled:
            lines += ["", "## Settled cases"]
        for topic in settled:
            lines += ["", f"### {topic.name}", "", *(f"- {ruling}" for ruling in topic.settled)]
        if self.cases:
            lines += ["", "## Worked cases", "", "| sentence | topics | not |", "|---|---|---|"]
            lines += [
                f"| {case.text} | {_topic_cell(case.topics, '(none)')} | {_topic_cell(case.near)} |"
                for case in self.cases
            ]
        return "\n".join(lines) + "\n"


def load_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        TaxonomyError: The file is missing, is not TOML, or breaks a rule: at least one
            topic (two in a multiclass scheme), ids of lower-case words joined by hyphens, each id
            once, worked cases with known topics, each once, a known kind, a language's code, and
            no other keys than these.
    """
    return _taxonomy(read_toml(path, TaxonomyError), path)


def parse_taxonomy(content: bytes, path: Path) -> Taxonomy:
    """Return the taxonomy that a file's content is; see ``load_taxonomy``."""
    return _taxonomy(parse_toml(content, path, TaxonomyError), path)


_KEYS = (
    *("name", "title", "introduction", "topics", "rules", "cases", "version", "kind"),
    *("language", "license", "meant_for"),
)
_TOPIC_KEYS = ("id", "name", "definition", "excludes", "settled")
_CASE_KEYS = ("text", "topics", "near")


def _check_keys(entry: dict[str, Any], known: Sequence[str], where: str, path: Path) -> None:
    """Raise an error that names a key that nothing reads, such as a misspelt one."""
    for key in entry:
        if key not in known:
            hint = f"{did_you_mean(key, known)}Known: {', '.join(known)}."
            raise TaxonomyError(f"unknown key {key!r} {where}", where=path, hint=hint)


def _taxonomy(data: dict[str, Any], path: Path) -> Taxonomy:
    _check_keys(data, _KEYS, "of the scheme", path)
    topics = tuple(_topic(entry, path) for entry in _tables(data, "topics", path))
    scheme = _scheme(data, path)
    _check_topics(topics, scheme, path)
    taxonomy = Taxonomy(
        name=str(data.get("name", path.parent.name)),
        title=str(data.get("title", data.get("name", ""))),
        introduction=str(data.get("introduction", "")),
        topics=topics,
        rules=_strings(data, "rules", path),
        cases=tuple(_case(entry, path) for entry in _tables(data, "cases", path)),
        version=_string(data, "version", path, "2.0"),  # 2.10 as a number would be 2.1
        scheme=scheme,
        license=_string(data, "license", path, "mit"),
        meant_for=_string(data, "meant_for", path, "news sentences"),
    )
    _check_cases(taxonomy, path)
    return taxonomy


def _string(data: dict[str, Any], key: str, path: Path, example: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise TaxonomyError(
            f"{key} {value!r} is not a string", where=path, hint=f'Write {key} = "{example}".'
        )
    return value


def _scheme(data: dict[str, Any], path: Path) -> Scheme:
    kind, language = data.get("kind", KINDS[0]), data.get("language", DEFAULT_SCHEME.language)
    if kind not in KINDS:
        raise TaxonomyError(
            f"kind {kind!r} is neither {' nor '.join(KINDS)}",
            where=path,
            hint=did_you_mean(str(kind), KINDS)
            + "multilabel: none, one or several topics a text; multiclass: exactly one.",
        )
    if not is_language(language):
        raise TaxonomyError(
            f"language {language!r} is not the code of a language",
            where=path,
            hint='Write it like language = "de".',
        )
    return Scheme(kind, language)


def _tables(data: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    entries = data.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TaxonomyError(
            f"{key!r} must be tables",
            where=path,
            hint=f"Write each as an entry of its own under [[{key}]].",
        )
    return entries


def _strings(data: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    values = data.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TaxonomyError(
            f"{key!r} must be a list of strings", where=path, hint=f'Write {key} = ["…", "…"].'
        )
    return tuple(values)


def _case(entry: dict[str, Any], path: Path) -> WorkedCase:
    text = entry.get("text")
    if not isinstance(text, str) or "topics" not in entry:
        raise TaxonomyError(
            "a worked case lacks text or topics",
            where=path,
            hint="Each [[cases]] entry needs text and topics; topics = [] for none.",
        )
    _check_keys(entry, _CASE_KEYS, "in a worked case", path)
    return WorkedCase(text, _strings(entry, "topics", path), _strings(entry, "near", path))


def _topic(entry: dict[str, Any], path: Path) -> Topic:
    missing = [key for key in ("id", "name", "definition") if not entry.get(key)]
    if missing:
        raise TaxonomyError(
            f"topic {entry.get('id', '?')!r} lacks {', '.join(missing)}",
            where=path,
            hint="Each [[topics]] entry needs id, name and definition.",
        )
    _check_keys(entry, _TOPIC_KEYS, f"in topic {entry['id']!r}", path)
    return Topic(
        id=str(entry["id"]),
        name=str(entry["name"]),
        definition=str(entry["definition"]),
        excludes=str(entry.get("excludes", "")),
        settled=_strings(entry, "settled", path),
    )


def _check_topics(topics: tuple[Topic, ...], scheme: Scheme, path: Path) -> None:
    if not topics:
        raise TaxonomyError(
            "no topics", where=path, hint="Add at least one [[topics]] entry with an id."
        )
    if scheme.is_multiclass and len(topics) == 1:
        raise TaxonomyError(
            "one topic leaves a multiclass scheme nothing to choose",
            where=path,
            hint='Add another [[topics]] entry, or write kind = "multilabel".',
        )
    ids = [topic.id for topic in topics]
    for topic_id in ids:
        if not ID.match(topic_id):
            raise TaxonomyError(
                f"topic id {topic_id!r} is not made of lower-case words joined by hyphens",
                where=path,
                hint="Write it like 'force-posture'.",
            )
        if ids.count(topic_id) > 1:
            raise TaxonomyError(
                f"duplicate topic id {topic_id!r}", where=path, hint="Remove or rename one."
            )


def _check_cases(taxonomy: Taxonomy, path: Path) -> None:
    seen: set[str] = set()
    for case in taxonomy.cases:
        where = f"{path}: worked case {case.text!r}"
        taxonomy.check((*case.topics, *case.near), where, TaxonomyError)
        if taxonomy.scheme.is_multiclass and len(case.topics) != 1:
            raise TaxonomyError(
                f"{len(case.topics)} topics, where a multiclass scheme has exactly one",
                where=where,
                hint="Give it one; topics that it only seems to carry go to near.",
            )
        both = set(case.topics) & set(case.near)
        if both:
            raise TaxonomyError(
                f"{', '.join(sorted(both))} is in both topics and near",
                where=where,
                hint="near is for topics that the sentence does not carry: take it out of one.",
            )
        if case.text in seen:
            raise TaxonomyError("given twice", where=where, hint="Remove one of the entries.")
        seen.add(case.text)


def _topic_cell(topics: tuple[str, ...], none: str = "–") -> str:
    return ", ".join(f"`{topic}`" for topic in topics) or none
