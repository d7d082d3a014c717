"""What a resolver needs of the request: the database and the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from app.contacts.assignments import assignments
from app.database.sessions import Database
from app.tables import Assignment
from app.workspaces.keys import Caller


@dataclass(frozen=True)
class Context:
    database: Database
    caller: Caller

    @cached_property
    def assignments(self) -> DataLoader[UUID, Sequence[Assignment]]:
        """By the contact's id: all that a level of the answer asks for in one statement.

        Nothing is kept, for the next mutation of the same document may change it.
        """

        async def load(contact_ids: list[UUID]) -> list[Sequence[Assignment]]:
            async with self.database.read() as session:
                found = await assignments(session, self.caller, contact_ids)
            return [found.get(contact_id, []) for contact_id in contact_ids]

        return DataLoader(load, cache=False)


Info = strawberry.Info[Context, None]
