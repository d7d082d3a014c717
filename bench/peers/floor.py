"""The least that one contact by id costs: a Starlette route and one statement, without GraphQL."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# A timestamp as Rollcall writes it: without a fraction if that is zero.
STATEMENT = """
    SELECT json_build_object('data', json_build_object('contact', json_build_object(
        'id', id, 'externalId', external_ids ->> 'default', 'email', email,
        'firstName', first_name, 'lastName', last_name, 'name', name, 'phone', phone,
        'company', company, 'jobTitle', job_title, 'country', country,
        'lifetimeValue', lifetime_value, 'updatedAt', replace(to_char(
            updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
        ), '.000000Z', 'Z')
    )))::text
    FROM contact WHERE workspace_id = $1 AND id = $2
"""


def create_app(database_url: str, api_key: str, workspace: str) -> Starlette:
    workspaces = {sha256(api_key.encode()).digest(): workspace}
    pool: Any = None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        nonlocal pool
        async with asyncpg.create_pool(database_url, max_size=20, reset=_keep) as pool:
            yield

    async def contact(request: Request) -> Response:
        key = request.headers.get("x-api-key", "")
        found = workspaces.get(sha256(key.encode()).digest())
        if found is None:
            return Response(status_code=401)
        asked = orjson.loads(await request.body())["variables"]["by"]["id"]
        answer = await pool.fetchval(STATEMENT, found, asked)
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/graphql", contact, methods=["POST"])], lifespan=lifespan)


async def _keep(_: Any) -> None:
    """Nothing to reset in a connection: that would be a second statement."""


if __name__ == "__main__":
    app = create_app(*(os.environ[name] for name in ("DATABASE_URL", "API_KEY", "WORKSPACE")))
    uvicorn.run(app, port=int(os.environ["PORT"]), access_log=False)
