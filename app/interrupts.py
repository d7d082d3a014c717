"""Ctrl-C ends a command at once and with one line, in place of an exception at a random line."""

import os
import signal
import sys
from threading import current_thread, main_thread
from typing import Any

INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended
_SHOW_CURSOR = "\x1b[?25h"  # which a progress bar hides


def end_on_interrupt(line: str) -> None:
    """From now on, Ctrl-C prints the line and ends the process as a power cut would."""

    def end(*_: Any) -> None:
        start = f"{_SHOW_CURSOR}\n" if sys.stderr.isatty() else ""
        os.write(2, f"{start}{line}\n".encode())
        os._exit(INTERRUPTED)

    _handle(end)


def raise_on_interrupt() -> None:
    """KeyboardInterrupt, as Python does."""
    _handle(signal.default_int_handler)


def ignore_interrupts() -> None:
    _handle(signal.SIG_IGN)


def _handle(handler: Any) -> None:
    """Not in another thread, which cannot, nor if a shell ignores Ctrl-C for the process."""
    if current_thread() is main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)
