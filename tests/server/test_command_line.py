"""What the command line refuses: one line on standard error, and an exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main

KEY = ["key", "create", "--workspace", "demo", "--name", "test"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rollcall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the command; its exit code, standard output and standard error."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["rollcall", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return run


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
    rollcall: Run, arguments: list[str], message: str
) -> None:
    code, out, err = rollcall(*arguments)
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith(f"rollcall: {message}")


@pytest.mark.parametrize("arguments", [[], ["key"]])
def test_no_command_shows_the_help(rollcall: Run, arguments: list[str]) -> None:
    code, out, err = rollcall(*arguments)
    assert (code, err) == (2, "")
    assert "Usage: " in out


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
    rollcall: Run, name: str, value: str, command: str
) -> None:
    code, out, err = rollcall(command, **{name: value})
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith(f"rollcall: {name}")


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_unavailable_database_is_reported_in_one_line(rollcall: Run, command: str) -> None:
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    code, out, err = rollcall(command, PORT="0", DATABASE_URL=nowhere)
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("rollcall: The database cannot be reached. Try again soon. (")
    assert "127.0.0.1" in line
