"""Every error is one line on standard error and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.errors import RollcallError, Unavailable


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """Raises SystemExit for an error of a command, a setting, the system or the database."""
    try:
        yield
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except Unavailable as error:
        _fail(f"{error.message} ({getattr(error.__cause__, 'orig', error.__cause__)})")
    except RollcallError as error:
        _fail(error.message)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            typer.echo(f"rollcall: {name}: {wrong['msg']}", err=True)
        raise SystemExit(1) from None
    except (OSError, UnicodeDecodeError) as error:  # such as settings that are not text
        _fail(str(error))
    except SQLAlchemyError as error:
        _fail(f"the database refused: {getattr(error, 'orig', error)}")


def _fail(message: str, code: int = 1) -> NoReturn:
    if message:  # a command without arguments has printed its help instead
        typer.echo(f"rollcall: {' '.join(message.split())}", err=True)
    raise SystemExit(code) from None
