"""A tool's label names and the topics that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import LabelError, did_you_mean
from topicml.labels.exchange.annotation import ForeignAnnotation
from topicml.taxonomy import Taxonomy
from topicml.toml import read_toml

_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Names:
    """What label names stand for: topics of the taxonomy for themselves, others by a map.

    Attributes:
        taxonomy: Gives the topics.
        mapped: Topics by name; a name may stand for several, or for none.
    """

    taxonomy: Taxonomy
    mapped: Mapping[str, tuple[str, ...]]

    @property
    def known(self) -> frozenset[str]:
        """All names that are known."""
        return frozenset({*self.taxonomy.topic_ids, *self.mapped})

    def topics(self, names: Iterable[str]) -> frozenset[str]:
        """Return the topics that names stand for, all of them known."""
        return frozenset(topic for name in names for topic in self.mapped.get(name, (name,)))

    def check(self, annotations: Iterable[ForeignAnnotation], path: Path) -> None:
        """Refuse names that are not known, all at once.

        Raises:
            LabelError: There are some; it has the place of the first.
        """
        known, unknown = self.known, dict[str, int]()
        for annotation in annotations:
            for name in (*(annotation.labels or ()), *sorted(annotation.asked or ())):
                if name not in known:
                    unknown.setdefault(name, annotation.number)
        if not unknown:
            return
        (first, number), *others = unknown.items()
        also = ", ".join(repr(name) for name, _ in others[:_MOST_LISTED])
        more = f", and {len(others) - _MOST_LISTED} more" if len(others) > _MOST_LISTED else ""
        raise LabelError(
            f"unknown label {first!r}" + (f" (also {also}{more})" if others else ""),
            where=f"{path}:{number}",
            hint=f"{did_you_mean(first, known)}Known topics: "
            f"{', '.join(self.taxonomy.topic_ids)}. Give other names' topics with --map FILE.toml.",
        )


def read_map(path: Path, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Read what names stand for: ``"Name" = "topic"``, or a list of topics, ``[]`` for none.

    Raises:
        LabelError: The file cannot be read, or names what is no topic.
    """
    mapped = {}
    for name, value in read_toml(path, LabelError).items():
        topics = [value] if isinstance(value, str) else value
        if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
            raise LabelError(
                f"{name!r} is neither a topic nor a list of topics",
                where=path,
                hint='Write "Name" = "topic", [] for a name that stands for no topic; '
                "a name with a dot in it stands in quotes.",
            )
        taxonomy.check(topics, f"{path}: {name!r}")
        mapped[name] = tuple(topics)
    return mapped
