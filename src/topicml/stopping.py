"""Signals that ask a command to end: how it heeds them, and when it does not."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import partial

STOP_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_SHELL = 128  # and the signal's number: the exit code that shells give


class Stopped(BaseException):
    """A signal asked the command to end.

    Attributes:
        hint: What the user can do.
        exit_code: As a shell has it.

    Args:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.hint = ""
        self.exit_code = _SHELL + number

    def __str__(self) -> str:
        said = f"stopped by {signal.Signals(self.exit_code - _SHELL).name}."
        return f"{said} {self.hint}" if self.hint else said


_asked_by: int | None = None


def end_at_once() -> None:
    """From here on end without a word where a signal asks to: nothing has been done yet."""
    _set(lambda number, _: os._exit(_SHELL + number))


def heed_signals() -> None:
    """From here on raise ``Stopped`` where a signal asks to end; a second one ends at once.

    Signals that are ignored stay so: ``nohup`` and shells ignore them for what is to go on.
    """
    _set(partial(_stop, signal.SIG_DFL))
    sys.unraisablehook = _tell_unraisable


def check_stopped() -> None:
    """Raise ``Stopped`` again where it came to nothing, as what is raised in a ``__del__`` does."""
    if _asked_by is not None:
        raise Stopped(_asked_by)


def leave_signals() -> None:
    """From here on let signals end the process as the system does."""
    _set(signal.SIG_DFL)


def end_within(seconds: float) -> None:
    """From here on end the process so long after such a signal, whatever it is in.

    It may be in code that takes long and is not Python, or write what nobody reads. A second
    signal changes nothing: ``timeout`` sends one to the process and one to its group.
    """
    _set(partial(_stop, signal.SIG_IGN))
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_end_after, args=(read, seconds), daemon=True).start()


def _end_after(signals: int, seconds: float) -> None:
    while (number := os.read(signals, 1)[0]) not in STOP_SIGNALS:
        pass  # the time limit of a record
    time.sleep(seconds)
    os._exit(_SHELL + number)


def _stop(then: signal.Handlers, number: int, _: object) -> None:
    global _asked_by
    _asked_by = number
    _set(then)
    raise Stopped(number)


def _tell_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    if unraisable.exc_type is not Stopped:  # which is told where it is raised again
        sys.__unraisablehook__(unraisable)


def _set(action: signal._HANDLER) -> None:
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, action)
