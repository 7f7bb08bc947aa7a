"""XML in zip archives, as word processors keep it, read so that nothing in it can hurt."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from topicml.errors import RecordError
from topicml.io.optional_dependencies import load

MOST_UNPACKED = 64_000_000
"""Bytes of a part, counted as they come; what headers say of sizes is not believed."""

_PIECE = 1 << 18
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
)


def load_lxml(purpose: str) -> Any:
    """Import what parses XML.

    Raises:
        MissingExtraError: It is not installed.
    """
    return load("lxml.etree", "articles", purpose)


class Archive:
    """The parts of a document.

    Args:
        data: The archive.
        name: Of the format, as messages call it.

    Raises:
        RecordError: It is no zip archive, or a damaged one.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._etree = load_lxml(f"reading a {name}")
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
            self.names = frozenset(self._zip.namelist())
        except _DAMAGED as err:
            raise self._damaged(err) from err

    def read(self, part: str) -> Any:
        """Return the root element of a part; None where there is no such part.

        Raises:
            RecordError: It is damaged, encrypted, too large or no XML.
        """
        if part not in self.names:
            return None
        data = self._unpack(part)
        parser = self._etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = self._etree.fromstring(data, parser)
        except (self._etree.XMLSyntaxError, ValueError) as err:
            raise self._damaged(err) from err
        if root.getroottree().docinfo.doctype:  # no word processor writes one
            raise RecordError("unreadable_input", f"the {self._name} declares entities")
        return root

    def read_if_sound(self, part: str) -> Any:
        """Return the root element of a part; None where it cannot be read."""
        try:
            return self.read(part)
        except RecordError:
            return None

    def _unpack(self, part: str) -> bytes:
        pieces = []
        size = 0
        try:
            with self._zip.open(part) as file:
                while piece := file.read(_PIECE):
                    pieces.append(piece)
                    size += len(piece)
                    if size > MOST_UNPACKED:
                        break
        except RuntimeError as err:
            if isinstance(err, NotImplementedError):
                raise self._damaged(err) from err
            raise encrypted(self._name) from err
        except _DAMAGED as err:
            raise self._damaged(err) from err
        if size > MOST_UNPACKED:
            most = MOST_UNPACKED // 1_000_000
            raise RecordError("too_large", f"the {self._name} unpacks to more than {most} MB")
        return b"".join(pieces)

    def _damaged(self, err: Exception) -> RecordError:
        why = " ".join(str(err).split())[:200] or type(err).__name__
        return RecordError("unreadable_input", f"the {self._name} is damaged, or cut off ({why})")


def encrypted(name: str) -> RecordError:
    """Return the error for a document that has a password."""
    return RecordError("encrypted", f"the {name} has a password; save it without one")


def local_name(element: Any) -> str:
    """Return the name of an element without its namespace; versions of a format differ in that."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str) -> str | None:
    """Return the attribute of that name, in whatever namespace."""
    for key, value in element.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return None


def inside(element: Any, *path: str) -> Iterator[Any]:
    """Yield the elements at the end of a path of names of children."""
    if not path:
        yield element
        return
    for child in element:
        if local_name(child) == path[0]:
            yield from inside(child, *path[1:])


def first_inside(element: Any, *path: str) -> Any:
    """Return the first of these; None where there is none."""
    return next(inside(element, *path), None)


def text_of(root: Any, *names: str) -> str | None:
    """Return the text of the first element with one of several names, in their order."""
    for name in names if root is not None else ():
        for element in root.iter(f"{{*}}{name}"):
            if element.text and element.text.strip():
                return str(element.text)
    return None
