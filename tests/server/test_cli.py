"""The command line: what the commands do and print, and that every error is one line."""

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.api.graphql.schema import schema
from app.database.migrate import is_current
from app.database.sessions import Database
from app.errors import Unauthenticated
from app.workspaces import workspaces
from app.workspaces.administration import LIFETIME_LIMIT_SECONDS, KeyRequest, create_key
from app.workspaces.keys import Caller, Scope, authenticate
from tests.support.blocked import until_blocked
from tests.support.commands import Result, Rollcall, refused
from tests.support.databases import empty_sqlite
from tests.support.forking import COUNTED
from tests.support.postgres import Cluster, outside_transaction
from tests.support.server import ExecutedServer, Server
from tests.support.waiting import BOUND_SECONDS

KEY = re.compile("rollcall_[0-9a-f]{72}")
READ = ("--scope", "contacts:read")
LATER = "2999-01-31T08:00:00Z"


@pytest.fixture
def on_database(rollcall: Rollcall, empty_url: str) -> Rollcall:
    """As `rollcall`, on SQLite and on PostgreSQL, with a workspace `ours`."""

    def run(*arguments: str) -> Result:
        return rollcall(*arguments, DATABASE_URL=empty_url)

    assert run("migrate").code == 0
    assert run("workspace", "create", "ours").code == 0
    return run


def in_database(url: str, work: Callable[[Database], Any]) -> Any:
    async def run() -> Any:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def caller(url: str, key: str) -> Caller:
    found = in_database(url, lambda database: authenticate(database, key))
    assert isinstance(found, Caller)
    return found


def created(run: Rollcall, *options: str) -> str:
    result = run("key", "create", "--workspace", "ours", "--name", "sync", *options)
    assert result.code == 0
    return result.out.strip()


def listed(run: Rollcall) -> list[dict[str, Any]]:
    result = run("key", "list", "--json")
    assert (result.code, result.err) == (0, "")
    keys: list[dict[str, Any]] = orjson.loads(result.out)
    return keys


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


def test_failed_command_reports_the_reason_in_one_line(on_database: Rollcall) -> None:
    key = ("key", "create", "--name", "sync", *READ, "--workspace")
    unknown = str(uuid4())
    for arguments, code, reason in (
        (("workspace", "create", "ours"), 1, "Workspace ours already exists"),
        (("workspace", "create", " ours "), 1, "Workspace ours already exists"),
        (("workspace", "create", " "), 1, "must not be empty"),
        (("workspace", "create", "a\nb"), 1, "printable"),
        (("workspace", "create", "a\udcff"), 1, "printable"),
        ((*key, "nobody"), 1, "Workspace nobody does not exist"),
        (("key", "create", "--workspace", "ours", "--name", "", *READ), 1, "must not be empty"),
        (("key", "create", "--workspace", "ours", "--name", "a\tb", *READ), 1, "printable"),
        (("key", "create", "--workspace", "ours", "--name", "a\udcff", *READ), 1, "printable"),
        (("key", "create", "--workspace", "ours", "--name", "sync"), 2, "--scope"),
        ((*key, "ours", "--scope", "contacts"), 2, "--scope"),
        (("workspace", "create", "x" * 256), 1, "at most 255 characters"),
        (("key", "revoke", unknown), 1, unknown),
        (("key", "revoke", "seven"), 2, "ID"),
        (("key", "revoke"), 2, "ID"),
    ):
        assert reason in refused(on_database(*arguments), code)
    assert listed(on_database) == []


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("ENVIRONMENT", "staging"),
        ("LOG_LEVEL", "loud"),
        ("MAX_BODY_BYTES", "1"),
        ("DATABASE_URL", "mysql://localhost/rollcall"),
        ("DATABASE_URL", "sqlite:///rollcall.db"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql+asyncpg://localhost:port/rollcall"),
    ],
)
def test_bad_setting_is_named_in_one_line(rollcall: Rollcall, name: str, value: str) -> None:
    assert name in refused(rollcall("key", "list", **{name: value}))


def test_every_bad_setting_has_a_line(rollcall: Rollcall) -> None:
    result = rollcall("migrate", PORT="http", LOG_LEVEL="loud")
    assert (result.code, result.out) == (1, "")
    lines = result.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["PORT", "LOG_LEVEL"]


def test_database_that_cannot_be_used_is_reported_in_one_sentence(
    rollcall: Rollcall, cluster: Cluster
) -> None:
    user = cluster.url("postgres").replace("postgres@", "nobody@")
    create = "CREATE DATABASE bytes TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    asyncio.run(outside_transaction(cluster.url("postgres"), create))
    for url, sentence in (
        ("postgresql+asyncpg://postgres@127.0.0.1:1/rollcall", "PostgreSQL cannot be reached ("),
        ("postgresql+asyncpg://postgres@/rollcall?host=/nowhere", "PostgreSQL cannot be reached ("),
        ("postgresql+asyncpg://a@nowhere.invalid/b", "The host nowhere.invalid of DATABASE_URL "),
        (cluster.url("missing"), "PostgreSQL has no database missing: run createdb, or correct "),
        (cluster.url("bytes"), "The database has the encoding SQL_ASCII instead of UTF8: create "),
        (user, "PostgreSQL refuses the user of DATABASE_URL: "),
        ("sqlite+aiosqlite:////proc/rollcall.db", "The database /proc/rollcall.db cannot be opene"),
    ):
        line = refused(rollcall("migrate", DATABASE_URL=url))
        assert line.startswith(f"rollcall: {sentence}")


@pytest.mark.parametrize(
    "command",
    [
        ["workspace", "create", "ours"],
        ["key", "list"],
        ["custom-field", "load", "notifuse", "--workspace", "ours"],
        ["backup", "copy.db"],
        ["distribute"],
    ],
    ids=" ".join,
)
def test_command_in_a_wrong_folder_creates_no_database(
    rollcall: Rollcall, tmp_path: Path, command: list[str]
) -> None:
    line = refused(rollcall(*command))
    assert line.startswith(f"rollcall: The database {tmp_path / 'rollcall.db'} does not exist: ")
    assert list(tmp_path.iterdir()) == []


def test_command_that_ctrl_c_ends_says_so(
    rollcall: Rollcall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.doctor.run_checks", interrupted)
    assert refused(rollcall("doctor"), 130) == "rollcall: interrupted."


def test_file_that_is_not_a_database_is_reported_in_one_line(
    rollcall: Rollcall, tmp_path: Path
) -> None:
    (tmp_path / "junk.db").write_bytes(b"junk" * 100)
    assert "not a database" in refused(
        rollcall("migrate", DATABASE_URL=empty_sqlite(tmp_path, "junk.db"))
    )


def test_schema_command_prints_the_schema(rollcall: Rollcall) -> None:
    assert rollcall("schema") == Result(0, schema.as_str() + "\n", "")


def test_settings_come_from_a_file_beside_the_environment(
    rollcall: Rollcall, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite+aiosqlite:///other.db\nPORT=http\n")
    assert rollcall("migrate", PORT="8000").code == 0
    assert (tmp_path / "other.db").exists()
    assert "PORT" in refused(rollcall("migrate"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"HOST=::1\n\n# the port\nPORT=http\n", ".env, line 4: PORT: Input should be a valid int"),
        (b"database_url=nonsense\n", ".env, line 1: DATABASE_URL must be sqlite+aiosqlite:///FILE"),
        (b"PORT=1\n\nLOG_LEVEL\n", ".env, line 3: must be NAME=VALUE."),
        (b"PORT=1\nHOST='a\n", ".env, line 2: must be NAME=VALUE."),
        (b"PORT=1\nHOST=\xff\n", ".env, line 2: must be text in UTF-8."),
    ],
)
def test_error_in_the_file_of_settings_has_its_line(
    rollcall: Rollcall, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert refused(rollcall("migrate")).startswith(f"rollcall: {message}")


def test_name_that_is_similar_to_a_setting_is_reported(rollcall: Rollcall, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_HOST=mail\nDATABSE_URL=x\nlog_levels=info\n")
    result = rollcall("migrate")
    assert result.code == 0
    assert result.err.splitlines()[:2] == [
        "rollcall: .env, line 2: DATABSE_URL is not a setting. Did you mean DATABASE_URL?",
        "rollcall: .env, line 3: log_levels is not a setting. Did you mean LOG_LEVEL?",
    ]


@pytest.mark.parametrize(
    ("command", "url"),
    [
        (["migrate"], "sqlite+aiosqlite:////proc/rollcall.db"),
        (["serve"], "sqlite+aiosqlite:////proc/rollcall.db"),
        (["key", "create", "--workspace", "a\udcff", "--name", "sync", *READ], None),
    ],
)
def test_real_process_has_no_traceback_and_an_exit_code(
    tmp_path: Path, command: list[str], url: str | None
) -> None:
    server = ExecutedServer(tmp_path, DATABASE_URL=url or empty_sqlite(tmp_path))
    done = server.rollcall(*command)
    refused(Result(done.returncode, done.stdout, done.stderr))


def test_serve_makes_what_it_needs_once_and_keeps_it(tmp_path: Path) -> None:
    url = empty_sqlite(tmp_path)
    server = Server(tmp_path, DATABASE_URL=url, ENVIRONMENT="development", **COUNTED)
    mutation = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'
    try:
        server.start()
        assert f"{server.url}/graphiql/" in server.log
        assert set(KEY.findall(server.log)) == {server.key}
        assert "key create --workspace demo --name NAME --scope contacts:read" in server.log
        first = server.post(mutation)
        assert server.signal(signal.SIGTERM) == 0
        shown = len(server.log)
        server.start()
        again = server.post(mutation)
    finally:
        server.stop()
    assert first["data"]["upsertContact"]["__typename"] == "ContactCreated"
    assert again["data"]["upsertContact"]["__typename"] == "ContactUpdated"
    assert "rollcall_" not in server.log[shown:]
    assert workspaces_with_keys(url) == ["demo"]


def test_serve_in_production_makes_no_key(tmp_path: Path) -> None:
    server = Server(tmp_path, DATABASE_URL=empty_sqlite(tmp_path), ENVIRONMENT="production")
    assert server.rollcall("migrate").returncode == 0
    try:
        server.start()
    finally:
        server.stop()
    assert not KEY.search(server.log)
    assert "graphiql" not in server.log
    assert workspaces_with_keys(empty_sqlite(tmp_path)) == []


def workspaces_with_keys(url: str) -> list[str]:
    async def read(database: Database) -> list[str]:
        async with database.read_directory() as session:
            return [workspace.name for _, workspace in await workspaces.list_keys(session)]

    found: list[str] = in_database(url, read)
    return found


def test_several_migrations_at_once_end_in_one_migrated_database(
    empty_url: str, tmp_path: Path
) -> None:
    server = Server(tmp_path, DATABASE_URL=empty_url)
    with ThreadPoolExecutor(3) as callers:
        ended = list(callers.map(server.rollcall, ["migrate"] * 3))
    assert [(done.stdout, done.returncode) for done in ended] == [("", 0)] * 3
    assert in_database(empty_url, is_current)
