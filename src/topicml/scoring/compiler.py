"""The scoring kernel compiled by numba, where numba can be used."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from topicml import compiling


@functools.cache
def compile_kernel() -> dict[str, Any]:
    """Return the kernel's functions by name; see ``compile_functions``."""
    from topicml.scoring import kernel

    return compiling.compile_functions(kernel, kernel.RARELY_CALLED)


def cache_folder() -> str | None:
    """Return where compiled code is kept between processes, or None where it is not."""
    stats = getattr(compile_kernel()["add_texts"], "stats", None)
    path: str | None = getattr(stats, "cache_path", None)
    return path


def is_compiled_kept() -> bool:
    """Whether an earlier process has compiled this kernel on this machine and kept the code.

    It is told from the index of numba's cache; nothing is compiled.
    """
    if not compiling.is_usable():
        return False
    dispatcher = compile_kernel()["add_texts"]
    try:
        machine = dispatcher.targetctx.codegen().magic_tuple()
        file = dispatcher._cache._cache_file
        kept = {key[1]: name for key, name in file._load_index().items()}
        return Path(file._data_path(kept[machine])).exists()
    except Exception:  # noqa: BLE001  # no such folder, a damaged index, another numba
        return False
