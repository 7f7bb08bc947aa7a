"""A file of an annotation tool: its text, and the objects in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from topicml.errors import LabelError, RecordError
from topicml.labels.fields import LONE_SURROGATE, each_once, read_content
from topicml.text.decoding import decode

Object = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Source:
    """A file that was read; ``objects`` are parsed once."""

    path: Path
    text: str

    @cached_property
    def objects(self) -> list[Object]:
        """Objects with their numbers: those of a JSON array, or one a line.

        Raises:
            LabelError: There is something else.
        """
        if self.text.lstrip().startswith("["):
            values = self._parse(self.text, None)
            found = list(enumerate(values, start=1))
        else:
            lines = enumerate(self.text.split("\n"), start=1)
            found = [(number, self._parse(line, number)) for number, line in lines if line.strip()]
        for number, value in found:
            if not isinstance(value, dict):
                raise self.wrong(number, f"expected an object, found {type(value).__name__}")
        return found

    def _parse(self, text: str, number: int | None) -> Any:
        try:
            return json.loads(text, object_pairs_hook=each_once)
        except (ValueError, RecursionError) as err:
            raise self.wrong(number, f"not valid JSON ({err})") from err

    def text_of(self, number: int, fields: Mapping[str, Any], name: str) -> str:
        """Return the text of an item.

        Raises:
            LabelError: It has none.
        """
        text = fields.get(name)
        if not isinstance(text, str) or not text:
            hint = f"It has: {', '.join(fields)}. Name the field of the text with --text-field."
            raise self.wrong(number, f"no text in {name!r}", hint)
        if LONE_SURROGATE.search(text):
            raise self.wrong(number, f"{name!r} has a lone surrogate, half of a character")
        return text

    def name(self, number: int, *values: Any) -> str:
        """Return the first id or name that there is; an empty one where there is none.

        Raises:
            LabelError: It is no text and no number.
        """
        value = next((value for value in values if value not in (None, "")), "")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(number, f"an id or a name is text or a number, found {value!r:.80}")
        return str(value)

    def check_asked(self, field: str | None) -> None:
        """Make sure that some item has the field of the labels, where one was asked for.

        Raises:
            LabelError: None has it.
        """
        there = dict.fromkeys(name for _, fields in self.objects for name in fields)
        if field and there and field not in there:
            raise self.wrong(None, f"no labels in {field!r}", f"There are: {', '.join(there)}.")

    def names(self, number: int, value: Any) -> tuple[str, ...]:
        """Return label names, given as a list or as a bare name.

        Raises:
            LabelError: They are something else, as marks on parts of a text are.
        """
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(name, str) for name in values):
            what = f"labels must be a list of names, found {value!r:.80}"
            raise self.wrong(number, what, "Only labels of whole texts can be read.")
        return tuple(values)

    def mapping(self, number: int, fields: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return an object inside an item; an empty one where there is none.

        Raises:
            LabelError: It is something else.
        """
        value = fields.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(number, f"{name!r} must be an object, found {value!r:.80}")
        return value or {}

    def rows(self, number: int, fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        """Return a list of objects inside an item; an empty one where there is none.

        Raises:
            LabelError: It is something else.
        """
        value = fields.get(name)
        value = [] if value is None else value
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.wrong(number, f"{name!r} must be a list of objects, found {value!r:.80}")
        return value

    def wrong(self, number: int | None, what: str, hint: str = "") -> LabelError:
        """Return the error of an item, or of the file."""
        where = self.path if number is None else f"{self.path}:{number}"
        return LabelError(what, where=where, hint=hint or "Correct or remove it.")


def read_source(path: Path, encoding: str | None = None) -> Source:
    """Read a file, in whatever encoding its mark or its bytes say.

    Raises:
        LabelError: It cannot be read, or is no text.
    """
    try:
        text, _ = decode(read_content(path), encoding=encoding)
    except RecordError as err:
        raise LabelError(err.detail, where=path, hint="Save it as UTF-8.") from err
    return Source(path, text)


def json_lines(values: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as JSON Lines."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def json_array(values: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as a JSON array, one a line."""
    lines = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    return f"[\n{lines}\n]\n" if lines else "[]\n"
