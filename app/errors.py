"""The errors that a caller may see; everything else is masked.

RollcallError               code, message, and the HTTP status if the whole request fails
├── Unauthenticated         no key, or one that is malformed, unknown, expired or revoked (401)
├── Forbidden               the key does not have the scope that the message names
├── InvalidInput            the input breaks rules, each of them a FieldError
├── LimitExceeded           a document, its variables or its answer exceed a limit
├── BadRequest              the HTTP request is not a GraphQL request (400, 405, 406, 408,
│                           413, 415, 431)
├── UntrustedDocument       the document is not executed (200 or 400, by the media type)
│   ├── PersistedQueryNotSupported    an id, and the server has no manifest
│   ├── PersistedQueryNotFound        an id that the manifest does not have
│   └── PersistedQueryIdRequired      no id, and only the manifest's documents are executed
├── RateLimited             the key has too few points left for the operation (429)
├── Unavailable             the server or its database cannot be reached or is too busy (503)
├── TimedOut                a statement or an operation took too long (503)
└── CommandFailed           a command of the command line failed
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

_ERRORS_IN_MESSAGE = 20


class FieldErrorCode(Enum):
    REQUIRED = "REQUIRED"
    INVALID_FORMAT = "INVALID_FORMAT"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    OUT_OF_RANGE = "OUT_OF_RANGE"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule. `field` is a path of API names: `email`, `customFields.plan`."""

    code: FieldErrorCode
    field: str
    message: str


class RollcallError(Exception):
    code: ClassVar[str]
    status: int = 200
    # Whether the HTTP request is well-formed: then the status depends on the media type.
    is_well_formed: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(RollcallError):
    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(RollcallError):
    code = "FORBIDDEN"
    status = 403


class InvalidInput(RollcallError):
    """The message has only the first errors."""

    code = "BAD_USER_INPUT"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        messages = [f"{error.field}: {error.message}" for error in errors[:_ERRORS_IN_MESSAGE]]
        if len(errors) > len(messages):
            messages.append(f"and {len(errors) - len(messages)} more")
        super().__init__("; ".join(messages))
        self.errors = tuple(errors)


class LimitExceeded(RollcallError):
    """`rule` says what is limited and to which value; `limit` is the name of the setting."""

    code = "LIMIT_EXCEEDED"
    is_well_formed = True

    def __init__(self, rule: str, limit: str, allowed: int, found: int | None = None) -> None:
        count = "" if found is None else f"; it has {found:,}"
        super().__init__(f"{rule}{count}. The limit is {limit}: see Limits in docs/api.md.")
        self.allowed = allowed
        self.extensions: dict[str, Any] = {"limit": limit, "allowed": allowed}
        if found is not None:
            self.extensions["found"] = found


class RateLimited(RollcallError):
    code = "RATE_LIMITED"
    status = 429

    def __init__(self, cost: int, remaining: int, limit: int, seconds: int) -> None:
        super().__init__(
            f"The cost of the operation is {cost:,}, and {remaining:,} of the {limit:,} points of "
            f"the API key are left. Try again in {seconds:,} s. The limits are "
            "RATE_LIMIT_POINTS_PER_SECOND and RATE_LIMIT_BURST_POINTS: see Rate limits in "
            "docs/api.md."
        )
        self.retry_after = seconds
        self.extensions: dict[str, Any] = {
            "limit": "RATE_LIMIT_POINTS_PER_SECOND",
            "cost": cost,
            "remaining": remaining,
            "retryAfter": seconds,
        }


class BadRequest(RollcallError):
    code = "BAD_REQUEST"

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class UntrustedDocument(RollcallError):
    """The clients of Apollo and urql recognise the first two by their messages, and then send the
    document."""

    text: ClassVar[str]
    is_well_formed = True

    def __init__(self) -> None:
        super().__init__(self.text)


class PersistedQueryNotSupported(UntrustedDocument):
    code = "PERSISTED_QUERY_NOT_SUPPORTED"
    text = "PersistedQueryNotSupported"


class PersistedQueryNotFound(UntrustedDocument):
    code = "PERSISTED_QUERY_NOT_FOUND"
    text = "PersistedQueryNotFound"


class PersistedQueryIdRequired(UntrustedDocument):
    code = "PERSISTED_QUERY_ID_REQUIRED"
    text = "The server executes only trusted documents. Send the documentId of one of them."


class Unavailable(RollcallError):
    code = "UNAVAILABLE"
    status = 503


class TimedOut(RollcallError):
    code = "TIMEOUT"
    status = 503


class CommandFailed(RollcallError):
    code = "COMMAND_FAILED"


def forget_frames(error: BaseException) -> None:
    """Those of an expected error, which nobody reads. Frames of graphql-core, and of calls that are
    tried again, refer to the error. What they hold, such as the rows of a bulk, would stay in
    memory until garbage is collected."""
    error.__traceback__ = None
