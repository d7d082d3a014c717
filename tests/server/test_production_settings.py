"""Which settings a production server refuses to start with."""

from pathlib import Path

import pytest

from app.server.production import require_sensible
from app.settings import Settings
from tests.support.commands import Rollcall, refused

REFUSED = {
    "ALLOWED_ORIGINS=*": {"ALLOWED_ORIGINS": "https://app.example.com,*"},
    "TRUSTED_PROXIES=0.0.0.0/0": {"TRUSTED_PROXIES": "127.0.0.1,0.0.0.0/0"},
    "GRAPHIQL=true without INTROSPECTION=true": {"GRAPHIQL": "true"},
    "INTROSPECTION=true with TRUSTED_DOCUMENTS=only": {
        "INTROSPECTION": "true",
        "TRUSTED_DOCUMENTS": "only",
        "TRUSTED_DOCUMENTS_MANIFEST": "manifest.json",
    },
    "DATABASE_STATEMENT_TIMEOUT_SECONDS=11": {"DATABASE_STATEMENT_TIMEOUT_SECONDS": "11"},
    "DATABASE_POOL_TIMEOUT_SECONDS=10.5": {"DATABASE_POOL_TIMEOUT_SECONDS": "10.5"},
    "DATABASE_LOCK_TIMEOUT_SECONDS=12": {"DATABASE_LOCK_TIMEOUT_SECONDS": "12"},
}
ALL = {name: value for settings in REFUSED.values() for name, value in settings.items()}
PRODUCTION = {"ENVIRONMENT": "production", "PORT": "0"}


@pytest.mark.parametrize("fault", REFUSED)
def test_production_server_does_not_start_with_a_setting_that_makes_no_sense(
    rollcall: Rollcall, tmp_path: Path, fault: str
) -> None:
    line = refused(rollcall("serve", **PRODUCTION, **REFUSED[fault]))
    assert line.startswith(f"rollcall: ENVIRONMENT=production refuses {fault}")
    assert list(tmp_path.iterdir()) == []


def test_all_settings_that_make_no_sense_are_named_in_one_message(rollcall: Rollcall) -> None:
    line = refused(rollcall("serve", **PRODUCTION, **ALL))
    for fault, settings in REFUSED.items():
        assert (fault in line) == ("GRAPHIQL" not in settings)  # another turns introspection on


def test_commands_take_settings_that_only_a_server_uses(rollcall: Rollcall) -> None:
    assert rollcall("migrate", **PRODUCTION, **ALL).code == 0


def test_development_takes_all_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ALL.items():
        monkeypatch.setenv(name, value)
    require_sensible(Settings(_env_file=None, environment="development"))


def test_defaults_make_sense_in_production() -> None:
    require_sensible(Settings(_env_file=None, environment="production"))
