"""The API key of a request."""

from starlette.datastructures import Headers

from app.errors import Unauthenticated


def api_key(headers: Headers) -> str:
    """The key of either header. Raises Unauthenticated for no key or two different ones."""
    keys = set(headers.getlist("x-api-key"))
    for authorization in headers.getlist("authorization"):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("The Authorization header must be of the form Bearer KEY.")
        keys.add(token.strip())
    if len(keys) > 1:
        raise Unauthenticated("A request must not have two different API keys.")
    if not keys:
        raise Unauthenticated("Send an API key as x-api-key: KEY or Authorization: Bearer KEY.")
    return keys.pop()
