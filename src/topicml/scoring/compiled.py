"""The kernel compiled by numba, where numba is installed: the same source, made for bulk."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Callable
from types import FunctionType
from typing import Any

from topicml.scoring import kernel

NAME = "numba"


def is_available() -> bool:
    """Whether numba is installed; it is not imported to find out."""
    return importlib.util.find_spec(NAME) is not None


@functools.cache
def is_usable() -> bool:
    """Whether numba can be imported and is switched on; it is imported to find out."""
    try:
        import numba
    except (ImportError, OSError, AttributeError):  # not installed, or made for another numpy
        return False
    return not getattr(numba.config, "DISABLE_JIT", False)


@functools.cache
def compile_kernel() -> dict[str, Any]:
    """Return the kernel's functions by name, compiled for their arguments when called.

    The compiled code is kept beside the source, or where numba's own settings say, for the
    next process. Where no such place can be written to, every process compiles anew.
    """
    scope = dict(vars(kernel))
    for plain in kernel.FUNCTIONS:
        # a copy whose globals are the new scope, where its callees are compiled already
        function = FunctionType(plain.__code__, scope, plain.__name__)
        if plain in kernel.ENTRIES:
            scope[plain.__name__] = _compile(function, cache=True)
        else:
            # a call hands over dozens of arrays, so one that is made for every text is unfolded
            inline = "never" if plain in kernel.RARELY_CALLED else "always"
            scope[plain.__name__] = _compile(function, inline=inline)
    return scope


def _compile(function: Callable[..., Any], cache: bool = False, inline: str = "never") -> Any:
    import numba

    # the kernel makes no arrays, so that counting references to them is left out (_nrt)
    options: dict[str, Any] = {"nogil": True, "inline": inline, "_nrt": False}
    try:
        dispatcher = numba.njit(cache=cache, **options)(function)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(**options)(function)
    if cache and hasattr(dispatcher, "_cache"):
        _forgive(dispatcher._cache)
    return dispatcher


def _forgive(cache: Any) -> None:
    """Make files that are damaged, or cannot be written, count as none; numba raises there.

    The index is emptied then: numba writes it before the code, so that it may name older code.
    """

    def forgiving(action: Callable[..., Any]) -> Callable[..., Any]:
        def try_action(*arguments: Any) -> Any:
            try:
                return action(*arguments)
            except Exception:  # noqa: BLE001  # unpickling what is no pickle may raise anything
                with contextlib.suppress(OSError):
                    cache.flush()
                return None

        return try_action

    cache.load_overload = forgiving(cache.load_overload)
    cache.save_overload = forgiving(cache.save_overload)


def cache_folder() -> str | None:
    """Return where compiled code is kept between processes, or None where it is not."""
    path: str | None = getattr(
        getattr(compile_kernel()["add_texts"], "stats", None), "cache_path", None
    )
    return path
