"""The headers of a request."""

from starlette.datastructures import Headers
from starlette.types import Scope


class RequestHeaders(Headers):
    """Reads all headers once. Starlette's class reads them again for each name that is looked up,
    and an operation has six of them looked up."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._by_name: dict[str, list[str]] = {}
        for name, value in self.raw:
            self._by_name.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower()][0]

    def getlist(self, key: str) -> list[str]:
        return self._by_name.get(key.lower(), [])
