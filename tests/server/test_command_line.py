"""What the command line refuses: one line on standard error, and an exit code."""

from importlib.metadata import version

import pytest

from tests.support.commands import Result, Rollcall, refused

KEY = ["key", "create", "--workspace", "demo", "--name", "test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["serve", "--nothing"], "No such option: --nothing"),
        (["serve", "--workers", "0"], "Invalid value for '--workers': "),
        (["backup"], "Missing argument 'PATH'."),
        (["migrate", "now"], "Got unexpected extra argument(s) (now)"),
        (KEY, "Missing option '--scope'. Choose from: contacts:read, contacts:write, admin"),
        ([*KEY, "--scope", "all"], "Invalid value for '--scope': "),
        ([*KEY, "--scope", "admin", "--expires-at", "soon"], "Invalid value for '--expires-at': "),
        (["key", "revoke", "nothing"], "Invalid value for 'ID': "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_reported_in_one_line(
    rollcall: Rollcall, arguments: list[str], message: str
) -> None:
    assert refused(rollcall(*arguments), 2).startswith(f"rollcall: {message}")


@pytest.mark.parametrize("arguments", [[], ["key"]])
def test_no_command_shows_the_help(rollcall: Rollcall, arguments: list[str]) -> None:
    result = rollcall(*arguments)
    assert (result.code, result.err) == (2, "")
    assert "Usage: " in result.out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://localhost/rollcall"),
        ("DATABASE_URL", "sqlite+aiosqlite://"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_LOCK_TIMEOUT_SECONDS", "-1"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_wrong_setting_is_reported_in_one_line(
    rollcall: Rollcall, name: str, value: str, command: str
) -> None:
    assert refused(rollcall(command, **{name: value})).startswith(f"rollcall: {name}")


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_unavailable_database_is_reported_in_one_line(rollcall: Rollcall, command: str) -> None:
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    line = refused(rollcall(command, PORT="0", DATABASE_URL=nowhere))
    assert line.startswith("rollcall: PostgreSQL cannot be reached (")
    assert "127.0.0.1" in line


def test_version_is_that_of_the_package(rollcall: Rollcall) -> None:
    assert rollcall("--version") == Result(0, f"rollcall {version('rollcall')}\n", "")


def test_shell_completes_commands(rollcall: Rollcall) -> None:
    asked = {"COMP_WORDS": "rollcall works", "COMP_CWORD": "1"}
    assert rollcall(_ROLLCALL_COMPLETE="complete_bash", **asked).out == "workspace\n"


def test_options_of_serve_take_precedence_over_settings(rollcall: Rollcall) -> None:
    settings = {"HOST": "127.0.0.1", "PORT": "0"}
    line = refused(rollcall("serve", "--host", "192.0.2.1", "--port", "8123", **settings))
    assert line.startswith("rollcall: Cannot listen on 192.0.2.1:8123: ")
