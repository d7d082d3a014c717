"""How far an import has come, in a file beside the one that is imported.

It is written before the commit of each batch, with the outcome of the batch. If the answer to the
commit is lost, a prediction of the same batch tells whether it was written: then it is another one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.transfer.rows import Row
from app.transfer.state_file import load_state, save_state, unreadable


@dataclass(frozen=True, slots=True)
class Done:
    """What has been done up to a row. `digest` is that of all rows so far, `rejected_bytes` the
    length of the file of rejected rows."""

    rows: int = 0
    digest: str = ""
    rejected_bytes: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def after(self, rows: Sequence[Row], counts: Mapping[str, int], rejected_bytes: int) -> "Done":
        total = {
            name: self.counts.get(name, 0) + counts.get(name, 0)
            for name in dict.fromkeys([*self.counts, *counts])
        }
        return Done(self.rows + len(rows), digest_of(rows, self.digest), rejected_bytes, total)


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch that may have been written: the effect of each row, and what is done if it was."""

    effects: Sequence[int]
    done: Done

    def was_written(self, predicted: Sequence[int]) -> bool:
        """Whether a later prediction has none of the effects."""
        changing = [effect > 0 for effect in self.effects]
        still = (
            a == b for a, b, one in zip(self.effects, predicted, changing, strict=False) if one
        )
        return any(changing) and not any(still)


def digest_of(rows: Iterable[Row], before: str) -> str:
    """The digest of `before` and the rows, whether they come together or one by one."""
    for row in rows:
        text = json.dumps([before, row.line, row.original])
        before = sha256(text.encode()).hexdigest()
    return before


@dataclass(frozen=True, slots=True)
class Checkpoint:
    path: Path
    options: str
    done: Done = field(default_factory=Done)
    pending: Pending | None = None

    @property
    def is_new(self) -> bool:
        return not self.path.exists()

    @property
    def rejected_bytes(self) -> int:
        """Of the file of rejected rows, which is written before the checkpoint."""
        return (self.pending.done if self.pending else self.done).rejected_bytes

    def with_pending(self, pending: Pending | None) -> "Checkpoint":
        return replace(self, pending=pending)

    def with_done(self, done: Done) -> "Checkpoint":
        return replace(self, done=done, pending=None)

    def save(self) -> None:
        state = asdict(self)
        del state["path"]
        save_state(self.path, state)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def load(path: Path, options: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint in the file, or a new one. Raises CommandFailed for one of other options."""
    digest, state = load_state(path, options)
    if state is None:
        return Checkpoint(path, digest)
    try:
        pending = state["pending"]
        return Checkpoint(
            path,
            digest,
            Done(**state["done"]),
            pending and Pending(pending["effects"], Done(**pending["done"])),
        )
    except (TypeError, KeyError) as error:
        raise unreadable(path) from error
