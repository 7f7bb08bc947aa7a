"""JSON Lines: an object a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson


def encode(records: Iterable[dict[str, Any]]) -> bytes:
    """Return a line for each record."""
    return b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records)
