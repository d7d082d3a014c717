"""The application in this process, with settings of a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.server.asgi import create_app
from app.settings import Settings
from tests.support.client import InProcess


@asynccontextmanager
async def serving(database_url: str, **settings: Any) -> AsyncIterator[InProcess]:
    app = create_app(Settings(_env_file=None, database_url=database_url, **settings))
    async with app.router.lifespan_context(app), InProcess(app) as http:
        yield http
