"""Statements that are compiled once for a dialect.

SQLAlchemy spends more time on a statement that it has in its cache than the driver does on running
it. A prepared statement keeps the compiled text and the conversions of its parameters and columns,
and needs no more of SQLAlchemy when it runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from types import CodeType
from typing import Any

from sqlalchemy import Dialect, SelectBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]
Processors = Mapping[type[TypeEngine[Any]], Processor | None]

_AS_SQLALCHEMY: Processors = {}


class Prepared:
    """A statement whose parameters and columns have types, and no lists as parameters.

    `processors` has, by type, what makes Python's value of the driver's (None: they are the same),
    where that is simpler than what SQLAlchemy does; `to_driver` has what makes the driver's.
    """

    def __init__(
        self,
        statement: Any,
        dialect: Dialect,
        processors: Processors,
        to_driver: Processors = _AS_SQLALCHEMY,
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # as of any statement
        self.text = compiled.string
        binds = [compiled.binds[name] for name in compiled.positiontup or ()]
        self._parameters = [(one.key, _to_driver(one.type, dialect, to_driver)) for one in binds]
        self._literals = {one.key: one.value for one in binds if not one.required}
        columns = statement.selected_columns if isinstance(statement, SelectBase) else ()
        self.rows = _rows(
            {str(column.key): _conversion(column.type, dialect, processors) for column in columns}
        )

    @property
    def parameters_count(self) -> int:
        return len(self._parameters)

    def arguments(self, **values: Any) -> tuple[Any, ...]:
        """The values of the parameters, as the driver takes them."""
        values |= self._literals
        return tuple(
            process(values[name]) if process else values[name] for name, process in self._parameters
        )

    def arguments_of_rows(
        self, rows: Sequence[Mapping[str, Any]], **shared: Any
    ) -> list[tuple[Any, ...]]:
        """The arguments for each row, converted column by column; `shared` are those of all."""
        shared |= self._literals
        return list(zip(*self._columns(rows, shared), strict=True))

    def _columns(
        self, rows: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]
    ) -> Iterator[Iterable[Any]]:
        for name, process in self._parameters:
            if name in shared:
                value = shared[name]
                yield repeat(process(value) if process else value, len(rows))
            else:
                values = map(itemgetter(name), rows)
                yield map(process, values) if process else values


def _rows(
    conversions: Mapping[str, Processor | None],
) -> Callable[[Iterable[Sequence[Any]]], list[dict[str, Any]]]:
    """A function of the driver's rows, which gives Python's values by the names of the columns.

    It is generated Python, which takes two thirds of the time of loops over names and values.
    """
    values = [f"value_{index}" for index in range(len(conversions))]
    converts: dict[str, Any] = {}
    entries = []
    for value, (name, convert) in zip(values, conversions.items(), strict=True):
        if convert is None:
            entries.append(f"{name!r}: {value}")
        else:
            converts[f"to_{value}"] = convert
            entries.append(f"{name!r}: None if {value} is None else to_{value}({value})")
    row = f"{{{', '.join(entries)}}} for [{', '.join(values)}] in found"
    code = _code(f"lambda found: [{row}]")
    function: Callable[..., Any] = eval(code, converts)  # noqa: S307  # of names
    return function


@lru_cache
def _code(source: str) -> CodeType:
    """Kept, because statements of many texts have the same columns."""
    return compile(source, "<rows>", "eval")


def _to_driver(
    type_: TypeEngine[Any], dialect: Dialect, processors: Processors
) -> Processor | None:
    if type(type_) not in processors:
        return type_.dialect_impl(dialect).bind_processor(dialect)
    convert = processors[type(type_)]
    return convert and (lambda value: None if value is None else convert(value))


def _conversion(
    type_: TypeEngine[Any], dialect: Dialect, processors: Processors
) -> Processor | None:
    for kind in type(type_).__mro__:
        if kind in processors:
            return processors[kind]
    return type_.dialect_impl(dialect).result_processor(dialect, None)
