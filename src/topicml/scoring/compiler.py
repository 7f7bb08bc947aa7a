"""The scoring kernel compiled by numba, where numba can be used."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

NAME = "numba"


def is_installed() -> bool:
    """Whether numba is installed; it is not imported to find out."""
    return importlib.util.find_spec(NAME) is not None


def is_usable() -> bool:
    """Whether numba can be imported and is switched on; it is imported to find out."""
    return why_not_usable() is None


@functools.cache
def why_not_usable() -> str | None:
    """Say why numba cannot be used; None where it can."""
    if not is_installed():
        return "numba is not installed: pip install 'topicml[batch]'"
    try:
        import numba
    except Exception as err:  # noqa: BLE001  # made for another numpy, or half installed
        return f"numba cannot be imported: {err}"
    if getattr(numba.config, "DISABLE_JIT", False):
        return "numba is switched off by NUMBA_DISABLE_JIT"
    return None


@functools.cache
def compile_kernel() -> dict[str, Any]:
    """Return the kernel's functions by name, compiled for their arguments when called.

    The compiled code is kept beside the source, or where numba's own settings say, for the
    next process. Where no such place can be written to, every process compiles anew.
    """
    from topicml.scoring import kernel

    scope = dict(vars(kernel))
    for plain in [value for value in scope.values() if isinstance(value, FunctionType)]:
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
    stats = getattr(compile_kernel()["add_texts"], "stats", None)
    path: str | None = getattr(stats, "cache_path", None)
    return path


def is_compiled_kept() -> bool:
    """Whether an earlier process has compiled this kernel on this machine and kept the code.

    It is told from the index of numba's cache; nothing is compiled.
    """
    if not is_usable():
        return False
    dispatcher = compile_kernel()["add_texts"]
    try:
        machine = dispatcher.targetctx.codegen().magic_tuple()
        file = dispatcher._cache._cache_file
        kept = {key[1]: name for key, name in file._load_index().items()}
        return Path(file._data_path(kept[machine])).exists()
    except Exception:  # noqa: BLE001  # no such folder, a damaged index, another numba
        return False
