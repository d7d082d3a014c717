"""Executes operations over HTTP with an API key, for those who have no access to the database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.errors import CommandFailed
from app.transfer.execution import Execution, Refused, TryAgain, data_of
from app.transfer.over_api import OverApi

TIMEOUT_SECONDS = 60


class _Http:
    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        # Of the standard library, which also writes the lone surrogates that the API refuses.
        body = json.dumps({"query": document, "variables": variables})
        try:
            response = await self._client.post(self._url, content=body.encode())
        except httpx.TransportError as error:
            raise TryAgain(f"{self._url}: {error or type(error).__name__}") from error
        return _data(response, self._url)


def _endpoint(url: str) -> str:
    """The path is /graphql unless the URL has one."""
    try:
        parts, _ = urlsplit(url), httpx.URL(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        is_address = False
    if not is_address:
        raise CommandFailed("--url must be an address such as https://contacts.example.com.")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/graphql"


def _data(response: httpx.Response, url: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.status_code in (429, 502, 503, 504):
        raise TryAgain(f"{url} answers {response.status_code}", _seconds(response))
    if isinstance(answer, dict) and answer.keys() & {"data", "errors"}:
        return data_of(answer)
    if response.status_code == 413:  # of a proxy
        raise Refused("TOO_LONG", "The row is longer than the server accepts.")
    raise CommandFailed(f"{url} answers {response.status_code}, and not as Rollcall does.")


def _seconds(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None


@asynccontextmanager
async def over_http(url: str, key: str) -> AsyncIterator[Execution]:
    """Raises CommandFailed for a URL or a key that cannot be one."""
    endpoint = _endpoint(url)
    if not (key.isascii() and key.isprintable()):
        raise CommandFailed("The API key is malformed.")
    headers = {"x-api-key": key, "content-type": "application/json"}
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as client:
        yield OverApi(_Http(client, endpoint))
