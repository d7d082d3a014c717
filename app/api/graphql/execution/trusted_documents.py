"""Trusted documents: those of a manifest, which clients name by id instead of sending them.

The manifest is a file that a client's build writes: Apollo's `persisted-query-manifest.json`, or
the map from ids to documents of Relay and of GraphQL Code Generator. A document is also found by
its SHA-256, with or without the prefix `sha256:` of the GraphQL-over-HTTP draft.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.graphql.execution.documents import Documents
from app.errors import (
    CommandFailed,
    PersistedQueryIdRequired,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
)

FAULTS_SHOWN = 5

_PREFIX = "sha256:"
_SHA256 = re.compile("[0-9a-f]{64}")


class _Operation(BaseModel):
    id: str
    body: str


class _ApolloManifest(BaseModel):
    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[_Operation]


_MAP = TypeAdapter(dict[str, str])

Entry = tuple[str, str]  # the id and the document


class TrustedDocuments:
    def __init__(self, entries: Sequence[Entry] | None = None, *, only: bool = False) -> None:
        """`entries` are those of a manifest; None if the server has none."""
        self._has_manifest = entries is not None
        self._only = only
        self._by_id: dict[str, str] = {}
        for identity, document in entries or ():
            self._by_id[identity.removeprefix(_PREFIX)] = document
            self._by_id[_sha256(document)] = document

    def document(self, identity: str | None, query: str) -> str:
        """The document to execute: the trusted one of this id, or the one that was sent."""
        if identity is None:
            if self._only:
                raise PersistedQueryIdRequired
            return query
        trusted = self._by_id.get(identity.removeprefix(_PREFIX))
        if trusted is not None:
            return trusted
        if query and not self._only:
            return query
        raise PersistedQueryNotFound if self._has_manifest else PersistedQueryNotSupported


def load(path: Path | None, documents: Documents, *, only: bool) -> TrustedDocuments:
    """Parses and validates all documents of the manifest. Raises CommandFailed, which lists its
    faults."""
    if path is None:
        return TrustedDocuments(only=only)
    entries = _entries(path)
    faults = list(_faults(entries, documents))
    if faults:
        more = len(faults) - FAULTS_SHOWN
        shown = "; ".join(faults[:FAULTS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise CommandFailed(f"TRUSTED_DOCUMENTS_MANIFEST {path}: {shown}.")
    return TrustedDocuments(entries, only=only)


def _entries(path: Path) -> list[Entry]:
    try:
        given = orjson.loads(path.read_bytes())
        if isinstance(given, dict) and "format" in given:
            manifest = _ApolloManifest.model_validate(given)
            return [(operation.id, operation.body) for operation in manifest.operations]
        return list(_MAP.validate_python(given, strict=True).items())
    except OSError as error:
        reason = error.strerror
    except orjson.JSONDecodeError as error:
        reason = f"it must be JSON: {error}"
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, wrong["loc"])) or "the manifest"
        reason = f"{place}: {wrong['msg']}"
    raise CommandFailed(f"TRUSTED_DOCUMENTS_MANIFEST {path}: {reason}.")


def _faults(entries: Sequence[Entry], documents: Documents) -> Iterator[str]:
    if not entries:
        yield "it has no documents"
    seen: dict[str, str] = {}
    for identity, document in entries:
        bare = identity.removeprefix(_PREFIX)
        is_sha256 = identity != bare or _SHA256.fullmatch(bare)
        if is_sha256 and bare != _sha256(document):
            yield f"{identity}: it is not the SHA-256 of its document"
        elif seen.setdefault(bare, document) != document:
            yield f"{identity}: two documents have this id"
        elif errors := documents.prepare(document).errors:
            yield f"{identity}: {errors[0].message.rstrip('.')}"


def _sha256(document: str) -> str:
    return sha256(document.encode()).hexdigest()
