"""How many connections the limit of open files allows."""

import logging
import sys

from app.errors import CommandFailed
from app.settings import Settings

# What a process opens beside connections of clients and of the database: sockets, pipes, files of
# the page, modules that are imported late, and connections that wait to be refused.
OTHER_FILES = 128

FILES_OF_A_DATABASE_CONNECTION = 3  # of SQLite: the database, its log and the log's index

_log = logging.getLogger("rollcall.connections")


def connections_limit(settings: Settings) -> int:
    """MAX_CONNECTIONS, or less where the limit of open files is too low and cannot be raised.

    Raises CommandFailed if there is no room for a single connection.
    """
    pool = settings.database_pool_size + settings.database_pool_overflow + 1
    reserved = OTHER_FILES + pool * FILES_OF_A_DATABASE_CONNECTION
    files = _open_files(reserved + settings.max_connections)
    room = min(settings.max_connections, files - reserved)
    if room < 1:
        raise CommandFailed(
            f"The limit of open files is {files:,}. It must be above {reserved:,}: ulimit -n, or "
            "LimitNOFILE of systemd."
        )
    if room < settings.max_connections:
        _log.warning("the limit of %d open files allows %d connections", files, room)
    return room


def _open_files(wanted: int) -> int:
    """The limit of this process, raised if the system lets it."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised
