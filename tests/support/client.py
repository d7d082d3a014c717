"""A GraphQL client for the tests: documents in, answers out."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Client:
    http: httpx.AsyncClient
    key: str

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data and errors of the answer."""
        response = await self.http.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"x-api-key": self.key},
        )
        answer: dict[str, Any] = response.json()
        answer.pop("extensions", None)
        return answer

    async def __call__(self, document: str, **variables: Any) -> Any:
        """The data of the only root field. An error fails the test."""
        answer = await self.execute(document, **variables)
        assert "errors" not in answer, answer["errors"]
        [data] = answer["data"].values()
        return data

    async def errors(self, document: str, **variables: Any) -> list[tuple[str, str]]:
        """The (code, field) pairs of the errors of a call. A call without errors fails the test."""
        answer = await self.execute(document, **variables)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", error
        return [(broken["code"], broken["field"]) for broken in error["extensions"]["errors"]]
