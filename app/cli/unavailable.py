"""Why the database cannot be used, in one sentence that says what to do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError

from app.errors import CommandFailed, Unavailable

_READ_ONLY = "SQLITE_READONLY"
_NO_SUCH_DATABASE = "3D000"
_REFUSED_USER = "28"


@contextmanager
def unavailable_as_sentence(database_url: str) -> Iterator[None]:
    """Raises CommandFailed where the database cannot be reached or written to."""
    try:
        yield
    except (Unavailable, DBAPIError) as error:
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        reason = getattr(cause, "orig", cause)
        sentence = _sentence(make_url(database_url), reason)
        if sentence is None:
            raise
        raise CommandFailed(sentence) from error


def _sentence(url: URL, reason: object) -> str | None:
    name = getattr(reason, "sqlite_errorname", None) or ""
    state = getattr(reason, "sqlstate", None) or ""
    if name.startswith(("SQLITE_CANTOPEN", _READ_ONLY)):
        return (
            f"The database {url.database} cannot be opened ({reason}): its folder must exist, and "
            "this user must be able to write to the folder and the file."
        )
    if state == _NO_SUCH_DATABASE:
        return f"PostgreSQL has no database {url.database}: run createdb, or correct DATABASE_URL."
    if state.startswith(_REFUSED_USER):
        return f"PostgreSQL refuses the user of DATABASE_URL: {reason}."
    if isinstance(reason, socket.gaierror):
        return (
            f"The host {url.host} of DATABASE_URL cannot be found: check the name and the network."
        )
    if isinstance(reason, OSError):
        return (
            f"PostgreSQL cannot be reached ({reason.strerror or 'no answer'}): check that it is "
            "running, and the host and port of DATABASE_URL."
        )
    return None
