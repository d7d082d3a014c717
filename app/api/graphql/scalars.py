"""The scalars of the schema.

Both pass input on unchanged: `app.fields` validates it with the other fields, so that a caller gets
every broken rule at once, and an invalid row of a bulk does not affect the others.
"""

from datetime import datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Json = NewType("Json", object)


def as_it_came(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An RFC 3339 timestamp with an offset, such as `2026-01-31T08:00:00Z`. Answers "
        "are in UTC.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=as_it_came,
        parse_value=as_it_came,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value (RFC 8259); numbers must be finite.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=as_it_came,
        parse_value=as_it_came,
    ),
}
