"""Logging: JSON lines on standard error, each with the id of the request it belongs to.

No line has a value of a contact, a variable, a key or a query string, whatever the level. So
statements are never logged, and of an unexpected error its types and places, without messages,
which may quote values.
"""

import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

# Of a text that the client chose: the name of its operation, or a path. In characters.
TEXT_LIMIT = 200


@dataclass(slots=True)
class RequestRecord:
    """What is logged, counted and traced of a request."""

    id: str
    started: float = field(default_factory=perf_counter)
    status: int = 0
    workspace_id: UUID | None = None
    key_id: UUID | None = None
    operation: str | None = None  # its name
    kind: str | None = None  # query or mutation
    cost: int = 0
    rows: int = 0  # in the results of its root fields
    trace_id: str | None = None

    def describe_caller(self, workspace_id: UUID, key_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.key_id = key_id

    def describe_operation(self, name: str | None, kind: str, cost: int) -> None:
        self.operation = name and name[:TEXT_LIMIT]
        self.kind = kind
        self.cost = cost


_record: ContextVar[RequestRecord | None] = ContextVar("request record", default=None)


def current_request() -> RequestRecord:
    """The record of the request that is served; an empty one outside of requests."""
    return _record.get() or RequestRecord("-")


def start_request(record: RequestRecord) -> None:
    """Makes it the record of the current task and of the tasks that this one creates."""
    _record.set(record)


class JsonFormatter(OrjsonFormatter):
    def __init__(self) -> None:
        super().__init__(
            ["levelname", "process", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "error"},
            timestamp="time",
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's own copy of a message
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return log_data | {"requestId": current_request().id}

    def formatException(self, ei: Any) -> str:  # noqa: N802  # of logging.Formatter
        return "".join(_places(ei[1]))


def _places(error: BaseException) -> Iterator[str]:
    """The causes first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _places(cause)
    yield from traceback.format_tb(error.__traceback__)
    state = getattr(error, "sqlstate", None)
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}{f' (SQLSTATE {state})' if state else ''}\n"


def config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and so for uvicorn. Libraries log warnings alone."""
    own = {"level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        # Without a level of its own, uvicorn formats lines of each connection that nobody gets.
        "loggers": dict.fromkeys(("rollcall", "uvicorn", "uvicorn.error"), own),
    }
