"""Every error is one line on standard error and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.cli.env_file import place
from app.errors import RollcallError
from app.interrupts import INTERRUPTED


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """Raises SystemExit for an error of a command, a setting, the system or the database."""
    try:
        yield
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted.", INTERRUPTED)
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except RollcallError as error:
        _fail(error.message)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            setting = str(wrong["loc"][0]).upper()
            typer.echo(f"rollcall: {place(setting)}{setting}: {wrong['msg']}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}." if error.filename else str(error))
    except SQLAlchemyError as error:
        _fail(f"the database refused: {getattr(error, 'orig', error)}")


def _fail(message: str, code: int = 1) -> NoReturn:
    if message:  # a command without arguments has printed its help instead
        typer.echo(f"rollcall: {' '.join(message.split())}", err=True)
    raise SystemExit(code) from None
