"""What an upsert makes of a row of a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from app.transfer.rows import Fault


class Kind(Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflicts"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: Kind
    version: int = 0  # of the contact after a change
    contact_id: str | None = None
    faults: list[Fault] = field(default_factory=list)
    changes: tuple[str, ...] = ()

    @property
    def is_rejected(self) -> bool:
        return self.kind in (Kind.CONFLICT, Kind.INVALID)

    @property
    def effect(self) -> int:
        """The version that the contact gets; 0 if the row changes nothing, -1 if it is rejected."""
        if self.is_rejected:
            return -1
        return 0 if self.kind is Kind.UNCHANGED else self.version


# Called with the outcome of each row before the rows are written.
Announce = Callable[[Sequence[Outcome]], None]
