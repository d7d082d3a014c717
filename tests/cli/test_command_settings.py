"""The settings of a command come from the environment and from a file, and each error is named."""

from pathlib import Path

import pytest

from tests.support.commands import Rollcall, refused


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
