"""Enums of the inner floors, as the schema shows them."""

from enum import Enum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def expose(enum: type[Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """`values` describes each member by its name."""
    exposed: Any = strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = exposed.__strawberry_definition__
    for value in definition.values:
        value.description = values[value.name]
