"""Exports contacts page by page, the oldest first.

An export that is interrupted goes on after the last cursor that its progress file has. So it is
not one state of the database: each contact is as it was when its page was read.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.contacts.limits import PAGE_LIMIT
from app.errors import CommandFailed
from app.transfer.contact_lines import FIELDS, Lines
from app.transfer.execution import Api, patiently
from app.transfer.output import STANDARD_OUTPUT, Output
from app.transfer.state_file import load_state, path_of, require_written, save_state, unreadable

PAGES_AT_ONCE = 10  # between two entries in the progress file

_PAGE = f"""
query Export($first: Int!, $after: String, $filter: ContactFilter, $search: String) {{
  contacts(
    first: $first, after: $after, filter: $filter, search: $search
    orderBy: {{field: CREATED_AT, direction: ASC}}
  ) {{
    nodes {{ {" ".join(FIELDS)} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
_COUNT = """
query Count($filter: ContactFilter, $search: String) {
  contacts(first: 0, filter: $filter, search: $search) { totalCount totalCountIsExact }
}
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """How far an export has come."""

    options: str
    contacts: int = 0
    length: int = 0  # bytes of the file
    cursor: str | None = None
    defused: int = 0


def started(path: Path, options: Mapping[str, Any]) -> Exported:
    """Where the export of the file stands. Raises CommandFailed for a file that is complete, or
    that does not have what was written."""
    digest, state = load_state(path_of(path), options)
    if state is None:
        if path != STANDARD_OUTPUT and path.exists():
            raise CommandFailed(f"{path} exists. Move it or remove it.")
        return Exported(digest)
    try:
        exported = Exported(**state)
    except TypeError as error:
        raise unreadable(path_of(path)) from error
    require_written(path, exported.length, path_of(path))
    return exported


async def count(execution: Api, selection: Mapping[str, Any]) -> int:
    """The number of contacts; 0 if it is not known exactly."""
    data = await patiently(lambda: execution.execute(_COUNT, dict(selection)))
    found = data["contacts"]
    return found["totalCount"] if found["totalCountIsExact"] else 0


class Export:
    def __init__(
        self, execution: Api, selection: Mapping[str, Any], path: Path, lines: Lines
    ) -> None:
        self._execution = execution
        self._selection = dict(selection)
        self._path = path
        self._output = Output(path)
        self._lines = lines

    async def run(self, state: Exported, advance: Callable[[int], object]) -> Exported:
        """The progress file stays."""
        has_more = True
        while has_more:
            text = "" if state.length else self._lines.header()
            before = self._lines.defused
            contacts, cursor = 0, state.cursor
            for _ in range(PAGES_AT_ONCE):
                page = await self._page(cursor)
                text += "".join(map(self._lines.line, page["nodes"]))
                contacts += len(page["nodes"])
                cursor = page["pageInfo"]["endCursor"] or cursor
                has_more = page["pageInfo"]["hasNextPage"]
                if not has_more:
                    break
            if not state.length:
                self._save(state)  # a file without progress is taken for that of another export
            state = replace(
                state,
                contacts=state.contacts + contacts,
                length=self._output.append(state.length, text),
                cursor=cursor,
                defused=state.defused + self._lines.defused - before,
            )
            self._save(state)
            advance(state.contacts)
        return state

    def _save(self, state: Exported) -> None:
        if self._path != STANDARD_OUTPUT:
            save_state(path_of(self._path), asdict(state))

    async def _page(self, cursor: str | None) -> dict[str, Any]:
        variables = self._selection | {"first": PAGE_LIMIT, "after": cursor}
        data = await patiently(lambda: self._execution.execute(_PAGE, variables))
        page: dict[str, Any] = data["contacts"]
        return page
