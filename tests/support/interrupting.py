"""What ends a command before it is done. It is called in the process of the command."""

import os
import signal
import sys
from importlib import import_module
from typing import Any


def interrupt_at(event: str, name: str) -> None:
    """Ctrl-C at the first of some event of Python, such as the import of a module."""
    awaited = True

    def hook(found: str, arguments: tuple[Any, ...]) -> None:
        nonlocal awaited
        if awaited and found == event and str(arguments[0]).split("/")[-1] == name:
            awaited = False
            signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignores it
    sys.addaudithook(hook)


def kill_after_batches(count: int, rows: int) -> None:
    """An import is killed when it has written a batch and not yet told anybody."""
    importing: Any = import_module("app.transfer.importing")
    upsert, left = importing.upsert, count

    async def killed(*arguments: Any) -> Any:
        nonlocal left
        answer = await upsert(*arguments)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    importing.BATCH_ROWS = rows
    importing.upsert = killed
