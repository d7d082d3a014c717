"""Where the operations of an import or export are executed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from app.errors import CommandFailed
from app.transfer.outcomes import Announce, Outcome

T = TypeVar("T")

TRIES = 8
LONGEST_WAIT_SECONDS = 60.0

_TEMPORARY = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}
_FATAL = {"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL_SERVER_ERROR", CommandFailed.code}


class TryAgain(Exception):
    """The operation can be repeated after `seconds`. Whether it was executed is not known."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class Refused(CommandFailed):
    """The operation was not executed, for what it asks or has."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Api(Protocol):
    """All of it raises TryAgain, Refused and CommandFailed."""

    async def execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data of the answer."""


Contacts = Sequence[dict[str, Any]]
Policy = dict[str, Any]


class Execution(Api, Protocol):
    async def predict(self, contacts: Contacts, policy: Policy) -> Sequence[Outcome]:
        """What an upsert of the contacts would do."""

    async def upsert(
        self, contacts: Contacts, policy: Policy, announce: Announce
    ) -> Sequence[Outcome]:
        """Writes the contacts in one transaction, and announces the outcomes before its commit; and
        once more, if they are others after all."""


def data_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Raises TryAgain, Refused and CommandFailed for an answer with errors."""
    if not (errors := answer.get("errors")):
        data: dict[str, Any] = answer["data"]
        return data
    message = errors[0]["message"]
    extensions = errors[0].get("extensions", {})
    code = extensions.get("code", "")
    if code in _TEMPORARY:
        raise TryAgain(message, extensions.get("retryAfter"))
    if code in _FATAL:
        raise CommandFailed(message)
    raise Refused(code, message)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Repeats the work after TryAgain. Raises CommandFailed after the last try."""
    for done in range(TRIES):
        try:
            return await work()
        except TryAgain as error:
            if done == TRIES - 1:
                raise CommandFailed(f"Given up after {TRIES} tries: {error}") from error
            seconds = 2.0**done / 4 if error.seconds is None else error.seconds
            await asyncio.sleep(min(seconds, LONGEST_WAIT_SECONDS))
    raise AssertionError
