"""`rollcall schema` prints the schema."""

from app.api.graphql.schema import schema
from tests.support.commands import Result, Rollcall


def test_schema_command_prints_the_schema(rollcall: Rollcall) -> None:
    assert rollcall("schema") == Result(0, schema.as_str() + "\n", "")
