"""What fields cost, in points. A point is about one short field of one row."""

from dataclasses import dataclass

from graphql import GraphQLField

POINTS = "points"  # in the metadata of a field: its own points, if they are not 1
PRICE = "price"  # in the metadata of a root field

# Of a field of JSON in a query: up to 64 KiB, read only if the field is selected. A mutation
# reads the whole contact in any case.
JSON_POINTS = 128

# Up to 100,000 contacts are examined for a count, and all tagged ones for a list of tags.
COUNT_POINTS = 5_000

# A condition may be compared with 8,000 contacts, for each page.
CONDITION_POINTS = 100

# The assumed length of a list within a row, such as the assignments of a contact.
INNER_ROWS = 2


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a root field may read or write.

    An argument is a number or a list, or a member of one: `selection.keys`. A number above the
    limit counts as the limit, because the resolver refuses it.
    """

    arguments: tuple[str, ...]
    default: int
    limit: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a root field costs beside the fields that it answers.

    The first list below the field has the rows; without `rows` it has INNER_ROWS.
    """

    base: int = 1
    each: int = 1  # for each row
    rows: Rows | None = None
    conditions: tuple[str, ...] = ()  # arguments that are a filter or a search


READ = Price()
WRITE = Price(base=10)


def price_of(field: GraphQLField) -> Price:
    price: Price = field.extensions["strawberry-definition"].metadata[PRICE]
    return price


def points_of(field: GraphQLField) -> int:
    points: int = field.extensions["strawberry-definition"].metadata.get(POINTS, 1)
    return points
