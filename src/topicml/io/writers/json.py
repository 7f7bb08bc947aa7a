"""JSON: one array of objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

START, SEPARATOR, END = b"[\n", b",\n", b"\n]\n"


def encode(records: Iterable[dict[str, Any]]) -> bytes:
    """Return elements of the array, separated; its start and its end are not among them."""
    return SEPARATOR.join(map(orjson.dumps, records))
