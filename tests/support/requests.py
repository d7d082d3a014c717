"""Requests to /graphql with any body and headers, and the documents that they send."""

import json
from typing import Any

import httpx

from tests.support.client import Client

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"

VIEWER = "{ viewer { workspace { name } } }"
FIND = "query ($email: String!) { contact(by: {email: $email}) { id } }"
CREATE = 'mutation Create { createContact(input: {email: "a@example.com"}) { __typename } }'
COUNT = "{ contacts { totalCount } }"


async def post(
    client: Client, content: Any, content_type: str = JSON, **headers: str
) -> httpx.Response:
    sent = {"x-api-key": client.key, "content-type": content_type}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.http.post("/graphql", content=content, headers=sent)


async def post_json(client: Client, body: Any, **headers: str) -> httpx.Response:
    return await post(client, json.dumps(body), **headers)


async def get(client: Client, **parameters: str) -> httpx.Response:
    return await client.http.get("/graphql", params=parameters, headers={"x-api-key": client.key})


def code(response: httpx.Response) -> str:
    """The code of an answer that has one error and no data."""
    answer = response.json()
    assert "data" not in answer
    [error] = answer["errors"]
    found: str = error["extensions"]["code"]
    return found
