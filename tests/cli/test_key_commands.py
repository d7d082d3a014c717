"""The commands for keys and workspaces: what they create, list, rotate and revoke."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID, uuid4

import orjson
import pytest

from app.database.sessions import Database
from app.errors import Unauthenticated
from app.workspaces import workspaces
from app.workspaces.administration import LIFETIME_LIMIT_SECONDS, KeyRequest, create_key
from app.workspaces.keys import Caller, Scope, authenticate
from tests.support.blocked import until_blocked
from tests.support.commands import KEY, READ, Result, Rollcall, listed, refused
from tests.support.databases import in_database
from tests.support.waiting import BOUND_SECONDS

LATER = "2999-01-31T08:00:00Z"


def caller(url: str, key: str) -> Caller:
    found = in_database(url, lambda database: authenticate(database, key))
    assert isinstance(found, Caller)
    return found


def created(run: Rollcall, *options: str) -> str:
    result = run("key", "create", "--workspace", "ours", "--name", "sync", *options)
    assert result.code == 0
    return result.out.strip()


def test_key_create_prints_only_the_key(on_database: Rollcall, empty_url: str) -> None:
    options = ("--scope", "contacts:read", "--scope", "contacts:write", "--scope", "contacts:read")
    result = on_database("key", "create", "--workspace", "ours", "--name", "sync", *options)
    assert result.err == "Key sync of workspace ours is created. It cannot be shown again.\n"
    assert KEY.fullmatch(result.out.removesuffix("\n"))
    who = caller(empty_url, result.out.strip())
    assert (who.workspace_name, who.key_name) == ("ours", "sync")
    assert who.scopes == {Scope.CONTACTS_READ, Scope.CONTACTS_WRITE}


def test_key_list_has_a_line_for_each_key_and_no_secret(on_database: Rollcall) -> None:
    first = created(on_database, *READ)
    second = created(on_database, "--scope", "admin", *READ, "--expires-at", LATER)
    result = on_database("key", "list")
    assert (result.code, result.err) == (0, "")
    header, *rows = [line.split("\t") for line in result.out.splitlines()]
    assert header == list(listed(on_database)[0])
    assert [row[1:] for row in rows] == [
        ["ours", first[:17], "contacts:read", "default", "active", "", "", "", "sync"],
        ["ours", second[:17], "admin,contacts:read", "default", "active", LATER, "", "", "sync"],
    ]
    assert len({UUID(row[0]) for row in rows}) == 2
    for key in (first, second):
        assert key[17:] not in result.out


@pytest.mark.parametrize(("width", "lines"), [("200", 3), ("80", 7)])
def test_list_is_a_table_on_a_terminal_that_keeps_ids_in_one_piece(
    rollcall: Rollcall, monkeypatch: pytest.MonkeyPatch, width: str, lines: int
) -> None:
    rollcall("migrate")
    rollcall("workspace", "create", "ours")
    created(rollcall, *READ, "--scope", "contacts:write")
    [key] = listed(rollcall)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    result = rollcall("key", "list", COLUMNS=width)
    shown = [line for line in result.out.splitlines() if line.strip()]
    assert len(shown) == lines
    for text in (key["id"], key["prefix"], "contacts:read, contacts:write"):
        assert sum(text in line for line in shown) == 1
    assert "revokedAt" not in result.out


def test_workspaces_are_listed_by_name(on_database: Rollcall) -> None:
    identity = on_database("workspace", "create", "a [b] c").out.strip()
    lines = on_database("workspace", "list").out.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["name", "a [b] c", "ours"]
    first = orjson.loads(on_database("workspace", "list", "--json").out)[0]
    assert (first["id"], first["name"]) == (identity, "a [b] c")


def test_expiry_is_a_future_timestamp_with_an_offset(on_database: Rollcall, empty_url: str) -> None:
    key = created(on_database, *READ, "--expires-at", "2999-01-31T08:00:00+02:00")
    expiry = caller(empty_url, key).key_expires_at
    assert expiry is not None
    assert expiry.isoformat() == "2999-01-31T06:00:00+00:00"
    create = ("key", "create", "--workspace", "ours", "--name", "sync", *READ, "--expires-at")
    for text in ("tomorrow", "2999-01-31", "2999-01-31T08:00:00", "2999-02-31T08:00:00Z"):
        assert "--expires-at" in refused(on_database(*create, text), 2)
    assert "in the future" in refused(on_database(*create, "2020-01-31T08:00:00Z"))
    assert len(listed(on_database)) == 1


def test_revoked_key_is_refused_from_then_on(on_database: Rollcall, empty_url: str) -> None:
    key, other = created(on_database, *READ), created(on_database, *READ)
    identity = listed(on_database)[0]["id"]
    revoked = f"Key {identity} and the keys that it made are revoked.\n"
    assert on_database("key", "revoke", identity) == Result(0, "", revoked)
    with pytest.raises(Unauthenticated, match="revoked"):
        caller(empty_url, key)
    assert caller(empty_url, other).workspace_name == "ours"
    once = listed(on_database)
    assert (once[0]["state"], once[0]["revokedAt"] is None) == ("revoked", False)
    assert on_database("key", "revoke", identity).code == 0
    assert listed(on_database) == once


def test_rotated_key_is_valid_until_the_overlap_ends(on_database: Rollcall, empty_url: str) -> None:
    old = created(on_database, *READ, "--scope", "contacts:write", "--source", "shop")
    before = datetime.now(UTC)
    rotated = on_database("key", "rotate", listed(on_database)[0]["id"])
    assert rotated.err.startswith("The new key cannot be shown again. ")
    new = rotated.out.removesuffix("\n")
    assert KEY.fullmatch(new)
    callers = [caller(empty_url, key) for key in (old, new)]
    for same in ("key_name", "source", "scopes", "workspace_id"):
        assert len({getattr(one, same) for one in callers}) == 1, same
    assert callers[0].key_expires_at is not None
    day = timedelta(days=1)
    assert before + day <= callers[0].key_expires_at <= datetime.now(UTC) + day
    assert callers[1].key_expires_at is None


def test_overlap_is_chosen_and_never_makes_a_key_last_longer(
    on_database: Rollcall, empty_url: str
) -> None:
    key = created(on_database, *READ)
    identity = listed(on_database)[0]["id"]
    new = on_database("key", "rotate", identity, "--overlap-hours", "0.5").out.strip()
    end = caller(empty_url, key).key_expires_at
    assert end is not None
    assert end < datetime.now(UTC) + timedelta(minutes=30)
    again = ("key", "rotate", identity, "--expires-at", LATER)
    newest = on_database(*again).out.strip()
    assert caller(empty_url, key).key_expires_at == end
    expiry = caller(empty_url, newest).key_expires_at
    assert expiry is not None
    assert expiry.year == 2999
    assert on_database(*again, "--overlap-hours", "0").code == 0
    with pytest.raises(Unauthenticated, match="expired"):
        caller(empty_url, key)
    assert listed(on_database)[0]["state"] == "expired"
    assert caller(empty_url, new).workspace_name == "ours"


def test_keys_that_a_rotated_key_made_expire_with_it(on_database: Rollcall, empty_url: str) -> None:
    maker = created(on_database, *READ, "--scope", "admin")
    request = KeyRequest("page", [Scope.CONTACTS_READ], LIFETIME_LIMIT_SECONDS, "default")
    who = caller(empty_url, maker)
    made = in_database(empty_url, lambda database: create_key(database, who, request))
    identity = listed(on_database)[0]["id"]
    on_database("key", "rotate", identity, "--overlap-hours", "1")
    expiries = {caller(empty_url, key).key_expires_at for key in (maker, made.key)}
    assert len(expiries) == 1
    on_database("key", "revoke", identity)
    with pytest.raises(Unauthenticated, match="revoked"):
        caller(empty_url, made.key)


def test_key_that_ended_or_expires_is_not_rotated_silently(on_database: Rollcall) -> None:
    created(on_database, *READ)
    created(on_database, *READ, "--expires-at", LATER)
    revoked, expiring = (row["id"] for row in listed(on_database))
    on_database("key", "revoke", revoked)
    before = listed(on_database)
    for arguments, code, reason in (
        ((revoked,), 1, "not valid any more"),
        ((expiring,), 1, "--expires-at"),
        ((expiring, "--expires-at", "2020-01-31T08:00:00Z"), 1, "in the future"),
        ((expiring, "--expires-at", LATER, "--overlap-hours", "-1"), 2, "--overlap-hours"),
        ((expiring, "--overlap-hours", "nan"), 2, "--overlap-hours"),
        ((str(uuid4()),), 1, "does not exist"),
    ):
        assert reason in refused(on_database("key", "rotate", *arguments), code)
    assert listed(on_database) == before


def test_workspace_create_prints_its_id(on_database: Rollcall, empty_url: str) -> None:
    result = on_database("workspace", "create", " Éva & Søn 日本 ")
    assert (result.code, result.err) == (0, "Workspace Éva & Søn 日本 is created.\n")
    create = ("key", "create", "--workspace", "Éva & Søn 日本", "--name", "sync", *READ)
    who = caller(empty_url, on_database(*create).out.strip())
    assert who.workspace_id == UUID(result.out.strip())


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_workspace_that_is_created_twice_at_once_exists_already(
    on_database: Rollcall, empty_url: str
) -> None:
    is_created = Event()

    async def create(database: Database) -> None:
        async with database.write_directory() as session:
            await workspaces.create_workspace(session, "theirs")
            is_created.set()
            await until_blocked(database)

    with ThreadPoolExecutor() as other:
        creating = other.submit(in_database, empty_url, create)
        assert is_created.wait(BOUND_SECONDS)
        result = on_database("workspace", "create", "theirs")
        creating.result()
    assert refused(result) == "rollcall: Workspace theirs already exists."
