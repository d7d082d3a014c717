"""The parameters of a GraphQL request, from its body or its URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from app.api.http.body import loads
from app.errors import BadRequest

QUERY_LIMIT = 250_000  # characters, each of which takes time to parse
OBJECTS_LIMIT = 25_000  # a bulk of 1,000 contacts with 24 in the custom fields of each


@dataclass(frozen=True, slots=True)
class Parameters:
    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


def parameters_of_url(query_params: QueryParams) -> Parameters:
    given: dict[str, Any] = dict(query_params)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = loads(given[name].encode(), f"The parameter {name}")
    return parameters_of(given)


def parameters_of(given: Any) -> Parameters:
    """Raises BadRequest for what is not a GraphQL request."""
    if isinstance(given, list):
        raise BadRequest("Batches are not supported: send one operation per request.")
    if not isinstance(given, Mapping):
        raise BadRequest("The body must be a JSON object.")
    query = given.get("query")
    if not isinstance(query, str):
        raise BadRequest("query must be a string.")
    if len(query) > QUERY_LIMIT:
        raise BadRequest(f"query must have at most {QUERY_LIMIT:,} characters.")
    operation_name = given.get("operationName")
    if not isinstance(operation_name, str | None):
        raise BadRequest("operationName must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(given.get(name), dict | None):
            raise BadRequest(f"{name} must be an object.")
    variables = given.get("variables")
    if variables and _has_too_many_objects(variables):
        raise BadRequest(f"variables must have at most {OBJECTS_LIMIT:,} objects.")
    return Parameters(query, variables, operation_name or None)


def _has_too_many_objects(variables: dict[str, Any]) -> bool:
    """Coercing an object takes time, in which no other request is served."""
    left = OBJECTS_LIMIT
    found: list[Any] = [variables]
    while found and left >= 0:
        one = found.pop()
        if isinstance(one, dict):
            left -= 1
            found.extend(one.values())
        elif isinstance(one, list):
            found.extend(one)
    return left < 0
