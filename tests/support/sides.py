"""The same server on SQLite and on PostgreSQL, in the same state: what each answers to a call."""

import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any, NoReturn

from sqlalchemy import delete, insert, select, update
from sqlmodel import SQLModel

from app.database.sessions import Database
from app.tables import ApiKey, now
from app.workspaces.keys import Scope
from app.workspaces.workspaces import create_key, create_workspace
from tests.support.client import Client, InProcess
from tests.support.operations import Operation
from tests.support.probes import CREATE, DEFINE, Target, everything, settle, told

# What an answer has only if something of the server's inside is in it.
INSIDE = re.compile(
    r"INTERNAL_SERVER_ERROR|Traceback|\.py\b|site-packages|<class |0x[0-9a-f]{8}"
    r"|(?i:sqlalchemy|asyncpg|sqlite|postgres)|\b\w+(?:Error|Exception)\b"
    r"|\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|FROM contact)\b"
)

# What a server makes itself, and so differs from one to another.
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"
MADE = re.compile(rf"[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{TIME}|rollcall_[0-9a-f]+")

OURS: list[dict[str, Any]] = [
    {"email": "ada@own.example", "externalId": "own-1", "name": "Ada", "tags": ["vip", "Ä"]},
    {"email": "grace@own.example", "firstName": "Grace", "lastName": "Hopper", "country": "GB"},
    {"email": "jörg@bücher.example", "company": "Müller & Söhne", "phone": "+493012345678"},
    {"email": "own@example.com", "customFields": {"plan": "gold"}, "metadata": {"a": [1, None]}},
]

Rows = dict[str, list[dict[str, Any]]]
ANY_WORKSPACE = {"any_workspace": True}


@dataclass(frozen=True)
class Side:
    database: Database
    ours: Client
    theirs: Client


@dataclass(repr=False)
class Sides:
    sides: Sequence[Side]
    rows: Rows  # of the state at the beginning
    target: Target  # a contact of the other workspace
    identifiers: Sequence[str]  # of contacts of both workspaces
    of_theirs: str = ""  # all that the other workspace holds

    async def begin(self) -> None:
        for side in self.sides:
            await _fill(side.database, self.rows)
        self.of_theirs = self.comparable(await everything(self.sides[0].theirs))

    async def run(self, operation: Operation) -> list[list[Any]]:
        """What each side answers in the state at the beginning, and after a mutation all that the
        caller's workspace then holds. The other workspace is not changed."""
        is_mutation = operation.document.startswith("mutation")
        seen: list[list[Any]] = []
        try:
            for side in self.sides:
                seen.append([await self._answer(side, operation)])
                if is_mutation:
                    seen[-1].append(self.comparable(await everything(side.ours)))
                    assert self.comparable(await everything(side.theirs)) == self.of_theirs
        finally:
            for side in self.sides if is_mutation else []:
                await _fill(side.database, self.rows)
        return seen

    async def _answer(self, side: Side, operation: Operation) -> tuple[int, str]:
        given = {"query": operation.document, "variables": operation.variables}
        body = json.dumps(given | {"operationName": operation.name}).encode()
        status, content = await side.ours.http.post_graphql(side.ours.key, body)
        text = content.decode()
        answer = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
        assert status == 200, text
        sent = json.dumps(given, ensure_ascii=False)
        assert [part for part in INSIDE.findall(text) if part not in sent] == [], text
        assert told(answer, given, self.target) == set(), text
        return status, self.comparable(answer)

    def comparable(self, answer: Any) -> str:
        """Without the times and the order of members, which PostgreSQL does not keep in a JSON
        value; ids and keys that are new are numbered."""
        answer.get("errors", []).sort(key=lambda error: json.dumps(error.get("path")))
        names: dict[str, str] = {}

        def name(match: re.Match[str]) -> str:
            if re.fullmatch(TIME, match[0]):
                return "<time>"
            if match[0] in self._known:
                return match[0]
            return names.setdefault(match[0], f"<{len(names)}>")

        return MADE.sub(name, json.dumps(answer, ensure_ascii=False, sort_keys=True))

    @cached_property
    def _known(self) -> set[str]:
        rows = [row for rows in self.rows.values() for row in rows]
        return {str(value) for row in rows for value in row.values()}


async def settled(databases: Sequence[Database], https: Sequence[InProcess]) -> Sides:
    """The state is made on the first database, and copied."""
    keys = []
    async with databases[0].write_directory() as session:
        for workspace in ("ours", "theirs"):
            await create_workspace(session, workspace)
            keys.append(await create_key(session, workspace, "test", list(Scope)))
        # Else an answer would have it or not, as long as the server holds what it knows of the key.
        await session.exec(update(ApiKey).values(last_used_at=now()))
    sides = [
        Side(database, *(Client(http, key) for key in keys))
        for database, http in zip(databases, https, strict=True)
    ]
    target = await settle(sides[0].theirs)
    await sides[0].ours(DEFINE, input={"key": "plan", "type": "STRING"})
    for given in OURS:
        await sides[0].ours(CREATE, input=given)
    edges = (await sides[0].ours("{ contacts { edges { cursor node { id } } } }"))["edges"]
    own = [*(edge["cursor"] for edge in edges), *(edge["node"]["id"] for edge in edges)]
    settled = Sides(sides, await _rows(databases[0]), target, [*astuple(target), *own])
    await settled.begin()
    return settled


async def _fill(database: Database, rows: Rows) -> None:
    async with database.write_directory() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await session.exec(delete(table), execution_options=ANY_WORKSPACE)
        for table in SQLModel.metadata.sorted_tables:
            if params := rows[table.name]:
                await session.exec(insert(table), params=params, execution_options=ANY_WORKSPACE)


async def _rows(database: Database) -> Rows:
    found: Rows = {}
    async with database.write_directory() as session:
        for table in SQLModel.metadata.sorted_tables:
            connection = await session.connection()
            rows = await connection.execute(select(table), execution_options=ANY_WORKSPACE)
            found[table.name] = [dict(row) for row in rows.mappings()]
    return found


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), "an object has a name twice"
    return dict(pairs)
