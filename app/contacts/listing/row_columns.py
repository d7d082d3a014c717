"""The columns of `contact` in SQL, by the names of the attributes of `ContactTable`."""

from collections.abc import Mapping

from app.contacts.store.columns import NAMES
from app.tables import ContactTable

OF_TABLE = {name: f"contact.{NAMES.get(name, name)}" for name in ContactTable.model_fields}

_ID = {"id": OF_TABLE["id"]}


class RowColumns:
    """Those of the rows of a subquery called `held`, which has to read what a statement uses."""

    def __init__(self, used: Mapping[str, str] = _ID) -> None:
        self.used = dict(used)  # to be asked for at the end

    def __getitem__(self, name: str) -> str:
        self.used[name] = OF_TABLE[name]
        return f"held.{name}"
