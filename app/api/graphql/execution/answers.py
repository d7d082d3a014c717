"""Errors in answers: typed if they are expected, masked otherwise."""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from graphql import ExecutionResult, GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from app import logs
from app.api.graphql.execution.messages import rewritten, unknown_member
from app.errors import (
    FieldError,
    FieldErrorCode,
    InvalidInput,
    LimitExceeded,
    RateLimited,
    RollcallError,
    TimedOut,
    Unavailable,
    forget_frames,
)

T = TypeVar("T")

ERRORS_LIMIT = 5

_log = logging.getLogger("rollcall")
_VARIABLE_PATH = re.compile(
    r"Variable '\$(\w+)' has invalid value(?: at \.?(\S+))?: (.*)", re.DOTALL
)
_ARGUMENT_PATH = re.compile(r"Argument '(\w+)' has invalid value(?: at (\S+))?: (.*)", re.DOTALL)


class ErrorBudget:
    """The broken rules that one answer may still list."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def take(self, errors: Sequence[T]) -> Sequence[T]:
        """The first of them, as many as the answer may still list."""
        taken = errors[: self.left]
        self.left -= len(taken)
        return taken


class RefusedDocument(RollcallError):
    """A document that is not valid; or, with another code, cannot be parsed or exceeds a limit."""

    code = "GRAPHQL_VALIDATION_FAILED"
    is_well_formed = True

    def __init__(self, errors: Sequence[GraphQLError], code: str = code) -> None:
        super().__init__("The document is not executed.")
        self.entries = [
            {
                **error.formatted,
                "message": rewritten(error.message),
                "extensions": {"code": code, **(error.extensions or {})},
            }
            for error in errors[:ERRORS_LIMIT]
        ]


def error_answer(error: RollcallError) -> dict[str, Any]:
    if isinstance(error, RefusedDocument):
        return {"errors": error.entries}
    return {"errors": [_entry(error.message, _extensions(error))]}


def is_unavailable(result: ExecutionResult) -> bool:
    """Whether the database answered no root field, so that the whole request can be repeated."""
    errors = result.errors or []
    if not errors or not all(isinstance(e.original_error, Unavailable | TimedOut) for e in errors):
        return False
    failed = {error.path[0] for error in errors if error.path}
    data = result.data or {}
    return all(data[name] is None and name in failed for name in data)


def executed(result: ExecutionResult, budget: ErrorBudget | None = None) -> dict[str, Any]:
    """Without `data` if nothing was executed, or if the database answered no root field."""
    if result.errors and result.data is None and all(e.path is None for e in result.errors):
        return {"errors": [_bad_variable(error) for error in result.errors[:ERRORS_LIMIT]]}
    answer: dict[str, Any] = {} if is_unavailable(result) else {"data": result.data}
    if result.errors:
        answer["errors"] = [_raised(error) for error in result.errors[:ERRORS_LIMIT]]
        if budget is not None:
            _limit_errors(answer["errors"], budget)
    return answer


def _limit_errors(entries: Iterable[dict[str, Any]], budget: ErrorBudget) -> None:
    for entry in entries:
        extensions = entry["extensions"]
        if "errors" in extensions:
            extensions["errors"] = budget.take(extensions["errors"])


def masked(error: BaseException) -> dict[str, Any]:
    """Logs an unexpected error, and gives the caller only the request id."""
    identity = logs.current_request().id
    _log.error("unexpected error", exc_info=error)
    message = f"An unexpected error occurred. Report the request id {identity}."
    return _entry(message, {"code": "INTERNAL_SERVER_ERROR", "requestId": identity})


def _entry(message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    return {"message": message, "extensions": extensions}


def _extensions(error: RollcallError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code}
    if isinstance(error, LimitExceeded | RateLimited):
        extensions |= error.extensions
    if isinstance(error, InvalidInput):
        extensions["errors"] = [
            {"code": broken.code.value, "field": broken.field, "message": broken.message}
            for broken in error.errors
        ]
    return extensions


def _raised(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    place = {key: error.formatted[key] for key in ("locations", "path") if key in error.formatted}
    if isinstance(original, RollcallError):
        forget_frames(original)
        forget_frames(error)
        return _entry(original.message, _extensions(original)) | place
    if found := _ARGUMENT_PATH.fullmatch(error.message):  # a variable that is null
        extensions = _invalid(found[1] + (found[2] or ""), found[3])
        return _entry(rewritten(error.message), extensions) | place
    if isinstance(original or error, StrawberryInputCoercionError):
        return _entry(rewritten(error.message), {"code": InvalidInput.code}) | place
    return masked(original or error) | place


def _bad_variable(error: GraphQLError) -> dict[str, Any]:
    found = _VARIABLE_PATH.fullmatch(error.message)
    extensions = _invalid(found[2] or found[1], found[3]) if found else {"code": InvalidInput.code}
    return {**error.formatted, "message": rewritten(error.message), "extensions": extensions}


def _invalid(field: str, message: str) -> dict[str, Any]:
    message = rewritten(message)
    if member := unknown_member(message):
        field = f"{field}.{member}"
    return _extensions(InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, field, message)]))
