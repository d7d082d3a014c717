"""The parameters of a GraphQL request, from its body or its URL."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams

from app.api.http.body import loads
from app.api.http.variable_limits import count_values
from app.errors import BadRequest

QUERY_LIMIT = 250_000  # characters, each of which takes time to parse


class Parameters(NamedTuple):
    query: str  # empty if a document is named by its id alone
    variables: dict[str, Any] | None
    operation_name: str | None
    values: int  # that the variables have at most, scalars and names included
    document_id: str | None = None


def parameters_of_url(query_params: QueryParams, values_limit: int) -> Parameters:
    given: dict[str, Any] = dict(query_params)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = loads(given[name].encode(), f"The parameter {name}")
    return parameters_of(given, values_limit)


def parameters_of(given: Any, values_limit: int, values_guess: int | None = None) -> Parameters:
    """Raises BadRequest for what is not a GraphQL request, and LimitExceeded for too many values in
    its variables. A guess that is not too low saves counting them, if it is within the limit."""
    if isinstance(given, list):
        raise BadRequest("Batches are not supported: send one operation per request.")
    if not isinstance(given, Mapping):
        raise BadRequest("The body must be a JSON object.")
    for name in ("variables", "extensions"):
        if not isinstance(given.get(name), dict | None):
            raise BadRequest(f"{name} must be an object.")
    query, document_id = given.get("query"), _document_id(given)
    if not isinstance(query, str) and (query is not None or document_id is None):
        raise BadRequest("query must be a string.")
    query = query or ""
    if len(query) > QUERY_LIMIT:
        raise BadRequest(f"query must have at most {QUERY_LIMIT:,} characters.")
    operation_name = given.get("operationName")
    if not isinstance(operation_name, str | None):
        raise BadRequest("operationName must be a string.")
    variables = given.get("variables")
    values = values_guess
    if values is None or values > values_limit:
        values = count_values(variables or {}, values_limit)
    return Parameters(query, variables, operation_name or None, values, document_id)


def _document_id(given: Mapping[str, Any]) -> str | None:
    """As the GraphQL-over-HTTP draft has it, or as the clients of Apollo and urql send a hash."""
    name, document_id = "documentId", given.get("documentId")
    if document_id is None:
        persisted = (given.get("extensions") or {}).get("persistedQuery")
        if persisted is None:
            return None
        name = "extensions.persistedQuery.sha256Hash"
        document_id = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(document_id, str):
        raise BadRequest(f"{name} must be a string.")
    return document_id
