"""Where each annotator is: which list was open, and which sentence of each list."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from topicml.appending import locked
from topicml.files import write_text, writing

_MOST = 1000  # lists that are remembered


@dataclass(frozen=True, slots=True)
class Place:
    """Where an annotator is.

    Attributes:
        annotator: Who.
        view: The list that was open last: ``article:KEY``, ``queue``, ….
        at: The sentence that was looked at last, by list.
    """

    annotator: str
    view: str = ""
    at: dict[str, str] = field(default_factory=dict)


class Places:
    """The places of a folder, a file an annotator.

    Args:
        folder: Made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, annotator: str) -> Place:
        """Return where an annotator is; at the start where nothing is known."""
        try:
            fields = json.loads(self._path(annotator).read_bytes())
            return Place(annotator, str(fields["view"]), dict(fields["at"]))
        except (OSError, ValueError, TypeError, KeyError):
            return Place(annotator)

    def move(self, annotator: str, view: str, sentence: str = "") -> Place:
        """Write down where an annotator is now.

        Raises:
            OutputError: The folder cannot be written to.
        """
        path = self._path(annotator)
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with locked(path):
            at = self.get(annotator).at
            if sentence:
                at = {**{name: one for name, one in at.items() if name != view}, view: sentence}
            place = Place(annotator, view, dict([*at.items()][-_MOST:]))
            write_text(path, json.dumps(asdict(place), ensure_ascii=False))
        return place

    def _path(self, annotator: str) -> Path:
        return self._folder / f"{hashlib.sha256(annotator.encode()).hexdigest()[:16]}.json"
