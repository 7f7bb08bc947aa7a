"""Opened articles, kept in a folder by their text, so that a page that is closed loses none.

One JSON file an article, written whole or not at all; its name ends in the start of the text's
SHA-1, by which an article that is opened twice is found again. What is put away lies in
``closed/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from topicml.errors import InputError
from topicml.files import write_text, writing
from topicml.labels.texts import sha1_of
from topicml.text.document import Document

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
"""What an article's key is like."""

_CLOSED = "closed"
_HASH = 10
_LONGEST_NAME = 40
_KEPT = 2000  # characters of a field that came with an article


@dataclass(frozen=True, slots=True)
class OpenArticle:
    """An open article.

    Attributes:
        key: Names it, in addresses and as the group of its sentences in label files.
        name: As people know it: a file's name, an address, a headline.
        text: What is tagged; offsets count its characters.
        opened: When, in UTC.
        by: Who opened it.
        fields: What it came with, such as its address and date.
    """

    key: str
    name: str
    text: str
    opened: str
    by: str = ""
    fields: dict[str, str] | None = None

    def document(self) -> Document:
        """Return it as what a tagger takes."""
        return Document(self.key, self.text, self.name)


class OpenArticles:
    """The opened articles of a folder; several processes may add to it at once.

    Args:
        folder: Made with the first article.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, OpenArticle] = {}  # files never change

    def put(self, document: Document, name: str, by: str) -> OpenArticle:
        """Keep an article, and return it; one that is there already stays as it is.

        Raises:
            OutputError: The folder cannot be written to.
        """
        digest = sha1_of(document.text)[:_HASH]
        for path in (*self._folder.glob(f"*-{digest}.json"), *self._closed(f"*-{digest}.json")):
            if (found := self._load(path)) and found.text == document.text:
                if path.parent != self._folder:
                    path.replace(self._folder / path.name)
                return found
        article = OpenArticle(
            f"{_slug(name)}-{digest}",
            name,
            document.text,
            datetime.now(UTC).isoformat(timespec="microseconds"),
            by,
            {name: str(value)[:_KEPT] for name, value in document.kept.items() if value},
        )
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(article), ensure_ascii=False)
        write_text(self._folder / f"{article.key}.json", text)
        return article

    def get(self, key: str) -> OpenArticle:
        """Return an article.

        Raises:
            InputError: It is not open.
        """
        path = self._folder / f"{key}.json"
        found = self._load(path) if KEY.match(key) and path.is_file() else None
        if found is None:
            raise InputError("no such article is open", where=key[:100], hint="Open it again.")
        return found

    def close(self, key: str) -> None:
        """Put an article away.

        Raises:
            InputError: It is not open.
        """
        self.get(key)
        target = self._folder / _CLOSED
        with writing(target):
            target.mkdir(exist_ok=True)
            (self._folder / f"{key}.json").replace(target / f"{key}.json")

    def all(self) -> list[OpenArticle]:
        """Return the articles, in the order they were opened."""
        found = filter(None, map(self._load, self._folder.glob("*.json")))
        return sorted(found, key=lambda article: (article.opened, article.key))

    def _closed(self, pattern: str) -> Iterable[Path]:
        return (self._folder / _CLOSED).glob(pattern)

    def _load(self, path: Path) -> OpenArticle | None:
        """Return an article; None where another process has just put it away."""
        if path not in self._read:
            try:
                fields: dict[str, Any] = json.loads(path.read_bytes())
                self._read[path] = OpenArticle(**fields)
            except (OSError, ValueError, TypeError):
                return None
        return self._read[path]


def _slug(name: str) -> str:
    """Return the words of a file's or an article's name, joined by hyphens."""
    stem = re.sub(r"\.[a-z0-9]{1,8}\Z", "", name.rstrip("/").rpartition("/")[2].lower())
    words = re.findall(r"[a-z0-9]+", stem)
    return "-".join(words)[:_LONGEST_NAME].strip("-") or "article"


def headline(text: str, longest: int = 80) -> str:
    """Return what a text without a name is called: the beginning of its first line."""
    first = next(_lines(text), "article")
    return first if len(first) <= longest else first[: longest - 1].rstrip() + "…"


def _lines(text: str) -> Iterator[str]:
    return (" ".join(line.split()) for line in text.splitlines() if line.strip())
