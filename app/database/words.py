"""Functions of SQL that the two databases word differently."""

from collections.abc import Mapping
from typing import NamedTuple

from app.text import CASE_PAIRS


class Word(NamedTuple):
    """{0}, {1} and {2} are the arguments."""

    sqlite: str
    postgresql: str


def named(columns: Mapping[str, str]) -> str:
    """Columns of a SELECT, by their names."""
    return ", ".join(f"{column} AS {name}" for name, column in columns.items())


def _member(name: str, *, types: str, value: str) -> Word:
    """The value that a JSON object has for a key; NULL if it has none, or one of another type."""
    return Word(
        sqlite=f"(SELECT value FROM json_each({{0}}) WHERE key = {{1}} AND type IN ({types}))",  # noqa: S608  # of names
        postgresql=f"CASE WHEN jsonb_typeof({{0}} -> {{1}}) = '{name}' THEN {value} END",
    )


TEXT_MEMBER = _member("string", types="'text'", value='({0} ->> {1}) COLLATE "C"')
NUMBER_MEMBER = _member("number", types="'integer', 'real'", value="CAST({0} ->> {1} AS numeric)")
BOOLEAN_MEMBER = _member("boolean", types="'true', 'false'", value="CAST({0} ->> {1} AS BOOLEAN)")

# A JSON document in UTF-8.
JSON_BYTES = Word(sqlite="CAST({0} AS BLOB)", postgresql="convert_to(CAST({0} AS text), 'UTF8')")

# A double as a number of the same digits, to be compared with a number of JSON.
EXACT = Word(sqlite="{0}", postgresql="CAST(CAST({0} AS text) AS numeric)")

# Whether a JSON object has a value for a key. Null is no value.
HAS_MEMBER = Word(
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) WHERE key = {1} AND type <> 'null')",
    postgresql="coalesce(jsonb_typeof({0} -> {1}) <> 'null', false)",
)

# Whether a JSON array of texts has the third argument; the second is that text as JSON, which is
# sooner ruled out than the array is read.
HAS_TEXT = Word(
    sqlite="(instr({0}, {1}) > 0 AND EXISTS (SELECT 1 FROM json_each({0}) WHERE value = {2}))",
    postgresql="({1} IS NOT NULL AND jsonb_exists({0}, {2}))",
)

# Whether a JSON array of texts has one of those of another.
HAS_ANY = Word(
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) "
    "WHERE value IN (SELECT value FROM json_each({1})))",
    postgresql="jsonb_exists_any({0}, ARRAY(SELECT jsonb_array_elements_text(CAST({1} AS jsonb))))",
)

# Whether a JSON array of objects has one with all members of another object.
HAS_OBJECT = Word(
    sqlite="EXISTS (SELECT 1 FROM json_each({0}) AS member WHERE NOT EXISTS ("
    "SELECT 1 FROM json_each({1}) AS wanted "
    "WHERE json_extract(member.value, '$.' || wanted.key) IS NOT wanted.value))",
    postgresql="({0} @> jsonb_build_array(CAST({1} AS jsonb)))",
)

# Whether the first text contains the second.
CONTAINS = Word(sqlite="(instr({0}, {1}) > 0)", postgresql="(strpos({0}, {1}) > 0)")

# Text with CASE_PAIRS in lower case. PostgreSQL's translate() compares each letter with each pair:
# a text of one byte a letter is spared that.
IN_LOWER_CASE = Word(
    sqlite="rollcall_lower({0})",
    postgresql='CASE WHEN octet_length({0}) = char_length({0}) THEN lower({0} COLLATE "C") '
    f"ELSE translate({{0}}, '{''.join(CASE_PAIRS)}', '{''.join(CASE_PAIRS.values())}') "
    'COLLATE "C" END',
)
