"""A page of each article, for people to read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from topicml.files import replacing, sync_folder, writing
from topicml.io.writers.texts import readable_stem, short_digest
from topicml.tagging.articles import TaggedArticle

_DIGITS = 16


class PageFolder:
    """A folder of pages, one for each record.

    A page is on disk before its record is written, so that no record lacks its page after a kill.
    It is named by what the record is of: the page that a killed run left is written again.

    Attributes:
        folder: It holds nothing else, and nothing in it is read.

    Args:
        folder: Made where it is not there.
        draw: Makes the HTML of an article's page.

    Raises:
        OutputError: It cannot be made.
    """

    def __init__(self, folder: Path, draw: Callable[[TaggedArticle], str]) -> None:
        self.folder = folder
        self._draw = draw
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)

    def is_in(self, folder: str) -> bool:
        """Whether pages go right into a folder, through whatever links."""
        return Path(folder).is_dir() and self.folder.samefile(folder)

    def write(self, articles: Mapping[str, TaggedArticle]) -> None:
        """Write the pages of articles, by name, and wait until they are on disk.

        Raises:
            OutputError: One cannot be written.
        """
        for name, article in articles.items():
            with replacing(self.folder / name) as file:
                file.write(self._draw(article).encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
        if articles:
            with writing(self.folder):
                sync_folder(self.folder)


def page_name(identifier: str, origin: Mapping[str, str | int]) -> str:
    """Return the name of a record's page: what can be read of its id, and a digest.

    Args:
        identifier: Of the record.
        origin: What tells it from all others.
    """
    key = json.dumps({"id": identifier, **origin}, sort_keys=True)
    return f"{readable_stem(identifier)}-{short_digest(key, _DIGITS)}.html"
