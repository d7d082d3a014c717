"""The context of resolvers: the database, the caller and the budget of filters."""

from dataclasses import dataclass, field

import strawberry

from app.contacts.listing.conditions import Budget
from app.database.sessions import Database
from app.workspaces.keys import Caller


@dataclass(frozen=True)
class Context:
    database: Database
    caller: Caller
    budget: Budget = field(default_factory=Budget)


Info = strawberry.Info[Context, None]
