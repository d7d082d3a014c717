"""What resolvers have: the database, the caller, the budgets and the selection."""

from dataclasses import dataclass, field

import strawberry

from app.api.graphql.execution.answers import ErrorBudget
from app.api.graphql.execution.attributes import contact_attributes
from app.api.graphql.execution.selections import Selections
from app.contacts.listing.conditions import Budget
from app.contacts.upsert import Announce, unannounced
from app.database.sessions import Database
from app.fields.rules import FAULTS_LIMIT
from app.workspaces.keys import Caller
from app.workspaces.quota import Allowance


@dataclass(slots=True)
class Context:
    database: Database
    caller: Caller
    budget: Budget = field(default_factory=Budget)
    allowance: Allowance | None = None
    errors: ErrorBudget = field(default_factory=lambda: ErrorBudget(FAULTS_LIMIT))
    announce: Announce = unannounced  # of a bulk upsert


class Info(strawberry.Info[Context, None]):
    @property
    def contact_attributes(self) -> frozenset[str]:
        """The attributes of contact records that the answer of this field reads."""
        info = self._raw_info
        selections = Selections.of_call(info)
        return contact_attributes(selections, info.return_type, tuple(info.field_nodes))


class PreparedInfo(Info):
    """The same for a resolver of a compiled operation."""

    __slots__ = ("contact_attributes", "context")

    context: Context
    contact_attributes: frozenset[str]

    def __init__(self, context: Context, contact_attributes: frozenset[str]) -> None:
        self.context = context
        self.contact_attributes = contact_attributes
