"""Kernels compiled by numba, where numba can be used."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Callable, Collection
from types import FunctionType, ModuleType
from typing import Any

from numpy.typing import NDArray

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


def compile_functions(
    kernel: ModuleType, rarely_called: Collection[object] | None = None
) -> dict[str, Any]:
    """Return a kernel's functions by name, compiled for their arguments when called.

    The compiled code is kept beside the source, or where numba's own settings say, for the
    next process. Where no such place can be written to, every process compiles anew.

    Args:
        kernel: Its module, with ``ENTRIES``, the functions that are called from outside.
        rarely_called: Those of the others that are not unfolded into their callers, which takes
            long; None for all.
    """
    scope = dict(vars(kernel))
    for plain in [value for value in scope.values() if isinstance(value, FunctionType)]:
        # a copy whose globals are the new scope, where its callees are compiled already
        function = FunctionType(plain.__code__, scope, plain.__name__)
        if plain in kernel.ENTRIES:
            scope[plain.__name__] = _compile(function, cache=True)
        else:
            # a call hands over dozens of arrays, so one that is made for every text is unfolded
            is_apart = rarely_called is None or plain in rarely_called
            inline = "never" if is_apart else "always"
            scope[plain.__name__] = _compile(function, inline=inline)
    return scope


def _compile(function: Callable[..., Any], cache: bool = False, inline: str = "never") -> Any:
    import numba

    # the kernel makes no arrays, so that counting references to them is left out (_nrt)
    options: dict[str, Any] = {"nogil": True, "inline": inline, "_nrt": False}
    if not cache:  # then nothing but a kernel's functions calls it
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
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


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array as numba is to see it, always with the one type of its kind."""
    view = array.view()
    view.flags.writeable = False
    return view
