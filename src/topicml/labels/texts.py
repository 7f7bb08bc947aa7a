"""The texts of labels by reference: a file beside the label file, made by ``labels fetch``.

One object a line, ``{"sha1": …, "text": …}``. Nothing in it is believed: a text counts where
its SHA-1 is the one that a pointer asks for, so a file that was changed lacks texts and never
gives another one. The folder is ignored by git.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from topicml.errors import LabelError
from topicml.files import write_text, writing

FOLDER = ".text"


def texts_path(labels: Path) -> Path:
    """Return where the texts of a label file's references are kept."""
    return labels.parent / FOLDER / labels.name


def sha1_of(text: str) -> str:
    """Return the SHA-1 of a text in UTF-8, as pointers have it; not for security."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def read_texts(labels: Path, wanted: Collection[str]) -> dict[str, str]:
    """Return texts by SHA-1, of those wanted that are kept and are what their SHA-1 says.

    Raises:
        LabelError: The file is there and cannot be read.
    """
    path = texts_path(labels)
    try:
        lines = path.read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as err:
        raise LabelError(
            err.strerror or "cannot be read",
            where=path,
            hint="Remove it, and run topicml labels fetch again.",
        ) from err
    wanted = frozenset(wanted)
    texts = (text for text in map(_text, lines) if text is not None)
    return {digest: text for text in texts if (digest := sha1_of(text)) in wanted}


def write_texts(labels: Path, texts: Mapping[str, str]) -> Path:
    """Keep texts by SHA-1, in place of those kept before; return the file.

    Raises:
        OutputError: The folder cannot be written.
    """
    path = texts_path(labels)
    with writing(path):
        path.parent.mkdir(exist_ok=True)
    lines = (
        json.dumps({"sha1": sha1, "text": texts[sha1]}, ensure_ascii=False) + "\n"
        for sha1 in sorted(texts)
    )
    write_text(path, "".join(lines))
    return path


def _text(line: bytes) -> str | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):  # a damaged line is a text that is not here
        return None
    text = fields.get("text") if isinstance(fields, dict) else None
    return text if isinstance(text, str) else None
