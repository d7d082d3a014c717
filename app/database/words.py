"""Functions of SQL that the two databases word differently."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, LargeBinary, Numeric, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from app.text import CASE_PAIRS

Words = Callable[..., ColumnElement[Any]]


def _worded(type_: TypeEngine[Any], *, sqlite: str, postgresql: str) -> Words:
    """A function of SQL in the words of each database. {0} and {1} are its arguments."""

    class Worded(FunctionElement[Any]):
        type = type_
        inherit_cache = True

    for dialect, words in (("sqlite", sqlite), ("postgresql", postgresql)):

        def compiled(
            element: Any, compiler: SQLCompiler, words: str = words, **options: Any
        ) -> str:
            return words.format(*(compiler.process(one, **options) for one in element.clauses))

        compiles(Worded, dialect)(compiled)
    return Worded


def _member(type_: TypeEngine[Any], name: str, *, types: str, value: str) -> Words:
    """The value that a JSON object has for a key; NULL if it has none, or one of another type."""
    return _worded(
        type_,
        sqlite=f"(SELECT value FROM json_each({{0}}) WHERE key = {{1}} AND type IN ({types}))",  # noqa: S608  # of names
        postgresql=f"CASE WHEN jsonb_typeof({{0}} -> {{1}}) = '{name}' THEN {value} END",
    )


text_member = _member(Text(), "string", types="'text'", value='({0} ->> {1}) COLLATE "C"')
number_member = _member(
    Numeric(), "number", types="'integer', 'real'", value="CAST({0} ->> {1} AS numeric)"
)
boolean_member = _member(
    Boolean(), "boolean", types="'true', 'false'", value="CAST({0} ->> {1} AS BOOLEAN)"
)

# A JSON document in UTF-8.
json_bytes = _worded(
    LargeBinary(),
    sqlite="CAST({0} AS BLOB)",
    postgresql="convert_to(CAST({0} AS text), 'UTF8')",
)

# A double as a number of the same digits, to be compared with a number of JSON.
exact = _worded(Numeric(), sqlite="{0}", postgresql="CAST(CAST({0} AS text) AS numeric)")

# Whether a JSON object has a value for a key. Null is no value.
has_member = _worded(
    Boolean(),
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) WHERE key = {1} AND type <> 'null')",
    postgresql="coalesce(jsonb_typeof({0} -> {1}) <> 'null', false)",
)

# Whether a JSON array of texts has the third argument; the second is that text as JSON, which is
# sooner ruled out than the array is read.
has_text = _worded(
    Boolean(),
    sqlite="(instr({0}, {1}) > 0 AND EXISTS (SELECT 1 FROM json_each({0}) WHERE value = {2}))",
    postgresql="({1} IS NOT NULL AND jsonb_exists({0}, {2}))",
)

# Whether a JSON array of texts has one of those of another.
has_any = _worded(
    Boolean(),
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) "
    "WHERE value IN (SELECT value FROM json_each({1})))",
    postgresql="jsonb_exists_any({0}, ARRAY(SELECT jsonb_array_elements_text(CAST({1} AS jsonb))))",
)

# Whether a JSON array of objects has one with all members of another object.
has_object = _worded(
    Boolean(),
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) AS member WHERE NOT EXISTS ("
    "SELECT 1 FROM json_each({1}) AS wanted "
    "WHERE json_extract(member.value, '$.' || wanted.key) IS NOT wanted.value))",
    postgresql="({0} @> jsonb_build_array(CAST({1} AS jsonb)))",
)

# Whether the first text contains the second.
contains = _worded(Boolean(), sqlite="(instr({0}, {1}) > 0)", postgresql="(strpos({0}, {1}) > 0)")

# Text with CASE_PAIRS in lower case. PostgreSQL's translate() compares each letter with each pair:
# a text of one byte a letter is spared that.
in_lower_case = _worded(
    Text(),
    sqlite="rollcall_lower({0})",
    postgresql='CASE WHEN octet_length({0}) = char_length({0}) THEN lower({0} COLLATE "C") '
    f"ELSE translate({{0}}, '{''.join(CASE_PAIRS)}', '{''.join(CASE_PAIRS.values())}') "
    'COLLATE "C" END',
)
