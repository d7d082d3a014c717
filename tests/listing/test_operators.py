"""An operator is restated in four places: whatever forgets one is named."""

import pytest
from graphql import GraphQLInputObjectType

from app.api.graphql.schema import schema
from app.contacts.listing.conditions import BOUNDS, Comparison, Operator, narrows
from app.contacts.listing.predicates import COMPARE
from tests.support.mirrors import difference
from tests.support.operators import MEANINGS, OF_TEXTS

NUMBERS = {Operator.EQ, Operator.IN, Operator.IS_NULL, *BOUNDS}
OPERATORS = {
    # Texts have no order that two databases and a reader would agree on.
    "StringFilter": set(Operator) - BOUNDS,
    "IDFilter": {Operator.EQ, Operator.IN, Operator.IS_NULL},
    "IntFilter": NUMBERS,
    "FloatFilter": NUMBERS,
    # A time is met to the microsecond by chance alone.
    "DateTimeFilter": {Operator.IS_NULL, *BOUNDS},
}


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_is_in_the_filters_of_the_types_that_allow_it(name: str) -> None:
    found = schema._schema.type_map[name]
    assert isinstance(found, GraphQLInputObjectType)
    members = found.fields.keys() - {"ignoreCase"}
    operators = {operator.value for operator in OPERATORS[name]}
    assert difference(f"The filter {name}", members, operators) == []


def test_every_operator_has_its_sql() -> None:
    names = [operator.name for operator in COMPARE]
    assert difference("COMPARE of predicates.py", names, Operator.__members__) == []


def test_every_operator_has_a_meaning_in_python() -> None:
    """The databases are compared with it. `compares` itself knows what a missing value meets."""
    names = [operator.name for operator in (*MEANINGS, Operator.IS_NULL)]
    place = "MEANINGS of tests/support/operators.py"
    assert difference(place, names, Operator.__members__) == []


@pytest.mark.parametrize("operator", OF_TEXTS)
def test_empty_text_that_every_text_meets_does_not_narrow(operator: Operator) -> None:
    """Else a deletion by it would delete everybody who has a value."""
    is_met_by_all = MEANINGS[operator]("Acme", "")
    assert narrows(Comparison("company", operator, "")) is not is_met_by_all
    assert narrows(Comparison("company", operator, "A"))
