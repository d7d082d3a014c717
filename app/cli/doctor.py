"""Whether a server could run here."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import typer

from app.cli.checks import Check, Status, run_checks
from app.cli.lists import AsJson
from app.cli.opening import read_settings
from app.settings import Settings

COLORS = {Status.OK: "green", Status.ADVICE: "yellow", Status.WRONG: "red"}

_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*)=[^&]*", re.IGNORECASE)


def doctor(as_json: AsJson = False) -> None:
    """Checks the settings, the database and the machine. The exit code is 1 if one is wrong."""
    settings = read_settings()
    checks = list(run_checks(settings))
    is_well = all(check.status is not Status.WRONG for check in checks)
    if as_json:
        answer = {"ok": is_well, "settings": _in_force(settings), "checks": checks}
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(settings, checks)
    raise typer.Exit(0 if is_well else 1)


def _print(settings: Settings, checks: Sequence[Check]) -> None:
    for name, value in _in_force(settings).items():
        if name.lower() in settings.model_fields_set:
            typer.echo(f"{name}={_as_written(value)}")
    typer.echo("Settings that are not listed here have their defaults.\n")
    for check in checks:
        status = typer.style(f"{check.status:<6}", fg=COLORS[check.status])
        typer.echo(f"{status}  {check.name:<10}  {check.message}")


def _as_written(value: Any) -> str:
    """The value as `.env` has it."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_force(settings: Settings) -> dict[str, Any]:
    """Without passwords and other secrets in URLs."""
    values = settings.model_dump(mode="json")
    return {name.upper(): _masked(value) for name, value in values.items()}


def _masked(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _SECRET_PARAMETER.sub(r"\1=***", _PASSWORD.sub(r"\1:***@", value))
