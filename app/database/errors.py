"""Translates errors of the drivers into those of Rollcall, and retries lost races."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # has no types
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import (
    RetryCallState,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
)

from app.errors import RollcallError, TimedOut, Unavailable

# SQLSTATEs of a transaction that lost a race and may be tried again: serialization failure,
# deadlock, lock not available, unique violation; and SQLite's names for the same.
_LOST_RACES = {"40001", "40P01", "55P03", "23505"}
_SQLITE_LOST_RACES = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_CONSTRAINT_UNIQUE",
    "SQLITE_CONSTRAINT_PRIMARYKEY",
)

# SQLSTATEs of a database that cannot serve now: connection exception, refused log-in, insufficient
# resources, operator intervention, a database that does not exist, a read-only standby, a
# transaction that idled too long, a disk or a worker of Citus that fails; and SQLite's names.
_AWAY = ("08", "28", "3D000", "53", "57", "25006", "25P03", "58030")
_SQLITE_AWAY = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_FULL")

# PostgreSQL's own errors, and those of a worker of Citus that lost their SQLSTATE because it copied
# rows into a shard, committed them, or went away. These have only their messages, in which the
# SQLSTATEs are found again: the commit that was not answered is an unknown outcome.
_INTERNAL = "XX000"
_STATES_OF_WORKERS = {
    "duplicate key value violates unique constraint": "23505",
    "canceling statement due to lock timeout": "55P03",
    "deadlock detected": "40P01",
    "canceling statement due to statement timeout": "57014",
    "canceling statement due to user request": "57014",
    "terminating connection": "57P01",
    "No space left on device": "53100",
    "server closed the connection unexpectedly": "08006",
    "connection has been closed unexpectedly": "08006",  # with TLS
    "could not receive data from server": "08006",
    "could not send data to server": "08006",
    "failure on connection marked as essential": "08006",
    "could not commit transaction for shard": "08007",
}

# SQLSTATEs of a connection that ended while it waited for an answer.
_UNANSWERED = ("08", "57P")

_TIMED_OUT = "57014"
_SQLITE_TIMED_OUT = "SQLITE_INTERRUPT"

ATTEMPTS = 20
ATTEMPTS_SECONDS = 10

# What the drivers raise past SQLAlchemy, by themselves or by its adapter. The internal error of the
# client is that of a connection which PostgreSQL has ended, and whose socket is not closed yet.
_ENDED = AsyncAdapt_asyncpg_dbapi.InternalClientError
_LOST_CONNECTIONS = (
    _ENDED,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    AsyncAdapt_asyncpg_dbapi.InterfaceError,
)
_DRIVER_ERRORS = (
    asyncpg.PostgresError,
    AsyncAdapt_asyncpg_dbapi.Error,
    *_LOST_CONNECTIONS,
    sqlite3.Error,
)

_UNREACHABLE = "The database cannot be reached. Try again soon."
_UNKNOWN = (
    "The outcome is unknown, because the database did not answer the commit. Read what was saved, "
    "or try again: a repeated upsert changes nothing that it has changed before."
)
_log = logging.getLogger("rollcall.database")


class LostRace(Unavailable):
    """Another transaction was faster; this one was rolled back and can be tried again."""

    def __init__(self) -> None:
        super().__init__("The same data is being changed by too many callers at once. Try again.")


def _give_up(state: RetryCallState) -> object:
    assert state.outcome is not None  # noqa: S101  # tenacity calls this after an attempt
    error = state.outcome.exception()
    cause = error and error.__cause__
    # The lines that follow quote the row on PostgreSQL.
    reason = str(getattr(cause, "orig", cause)).partition("\n")[0]
    _log.warning("lost race %d times: %s", state.attempt_number, reason)
    return state.outcome.result()


try_again = retry(
    retry=retry_if_exception_type(LostRace),
    stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(ATTEMPTS_SECONDS),
    wait=wait_random(max=0.05),
    retry_error_callback=_give_up,
)


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, OSError, PoolTimeout, *_DRIVER_ERRORS) as error:
        expected = _translated(error)
        if expected is None:
            raise
        if not isinstance(expected, LostRace):
            _log.warning("%s %r", expected.message, getattr(error, "orig", error))
        raise expected from error


@contextmanager
def translated_errors_of_commit() -> Iterator[None]:
    """Only what PostgreSQL did not answer; the rest is left to `translated_errors`."""
    try:
        yield
    except (DBAPIError, OSError, *_DRIVER_ERRORS) as error:
        if not _is_unanswered(error):
            raise
        _log.warning("%s %r", _UNKNOWN, getattr(error, "orig", error))
        raise Unavailable(_UNKNOWN) from error


def timed_out() -> TimedOut:
    return TimedOut(
        "The database took longer than DATABASE_STATEMENT_TIMEOUT_SECONDS allows. "
        "Ask for less, or try again."
    )


def _translated(error: Exception) -> RollcallError | None:
    if isinstance(error, PoolTimeout):
        return Unavailable("The database is too busy. Try again soon.")
    if isinstance(error, OSError):
        return Unavailable(_UNREACHABLE)
    raised = error.orig if isinstance(error, DBAPIError) else error
    state = _sqlstate(raised)
    name = getattr(raised, "sqlite_errorname", None) or ""
    if state in _LOST_RACES or name.startswith(_SQLITE_LOST_RACES):
        return LostRace()
    if state == _TIMED_OUT or name == _SQLITE_TIMED_OUT:
        return timed_out()
    if _is_lost(error) or state.startswith(_AWAY) or name.startswith(_SQLITE_AWAY):
        return Unavailable(_UNREACHABLE)
    return None


def _is_unanswered(error: Exception) -> bool:
    raised = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(raised, OSError) or _sqlstate(raised).startswith(_UNANSWERED)


def _sqlstate(raised: object) -> str:
    """Of an error of PostgreSQL. Empty for others."""
    state: str = getattr(raised, "sqlstate", None) or ""
    if state != _INTERNAL:
        return state
    message = str(raised)
    found = (known for part, known in _STATES_OF_WORKERS.items() if part in message)
    return next(found, state)


def _is_lost(error: Exception) -> bool:
    """Whether the connection was closed."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, _ENDED)
    return isinstance(error, _LOST_CONNECTIONS)
