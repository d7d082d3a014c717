"""Errors of a worker of Citus whose SQLSTATE was lost on the way."""

import asyncpg  # type: ignore[import-untyped]  # has no types
import pytest

from app.database.errors import LostRace, translated_errors, translated_errors_of_commit
from app.errors import TimedOut, Unavailable


@pytest.mark.parametrize(
    "message",
    [
        'duplicate key value violates unique constraint "contact_identifier_pkey_102016"',
        "canceling statement due to lock timeout",
        "deadlock detected",
    ],
)
def test_race_that_was_lost_on_a_worker_can_be_tried_again(message: str) -> None:
    with pytest.raises(LostRace), translated_errors():
        raise asyncpg.InternalServerError(message)


def test_worker_that_fails_while_rows_are_copied_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="cannot be reached"), translated_errors():
        raise asyncpg.PostgresIOError("failed to COPY to shard 102016")


@pytest.mark.parametrize(
    "message",
    [
        "terminating connection due to administrator command",
        'could not extend file "base/1/2": No space left on device',
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "could not receive data from server: Connection reset by peer",
        "could not send data to server: Broken pipe",
        "failure on connection marked as essential: worker-1.internal:5432",
    ],
)
def test_worker_that_fails_during_a_statement_is_unavailable(message: str) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"), translated_errors():
        raise asyncpg.InternalServerError(message)


@pytest.mark.parametrize("cause", ["statement timeout", "user request"])
def test_statement_that_takes_too_long_on_a_worker_has_timed_out(cause: str) -> None:
    with pytest.raises(TimedOut), translated_errors():
        raise asyncpg.InternalServerError(f"canceling statement due to {cause}")


def test_commit_that_a_worker_did_not_answer_has_an_unknown_outcome() -> None:
    with pytest.raises(Unavailable, match="The outcome is unknown"), translated_errors_of_commit():
        raise asyncpg.InternalServerError("could not commit transaction for shard 102016")


@pytest.mark.parametrize("message", ["cache lookup failed for type 0", "unexpected chunk number"])
def test_other_internal_error_stays_what_it_is(message: str) -> None:
    masked = pytest.raises(asyncpg.InternalServerError)
    with masked, translated_errors(), translated_errors_of_commit():
        raise asyncpg.InternalServerError(message)
