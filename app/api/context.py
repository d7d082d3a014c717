"""What a resolver needs of the request: the database and the caller."""

from dataclasses import dataclass

import strawberry

from app.auth import Caller
from app.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    database: Database
    caller: Caller


Info = strawberry.Info[Context, None]
