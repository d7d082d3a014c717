"""Settings that make no sense on a production server."""

from collections.abc import Iterator

from app.errors import CommandFailed
from app.settings import Settings

# A time limit would never be reached behind a shorter one.
_AT_MOST = {
    "database_statement_timeout_seconds": "operation_timeout_seconds",
    "database_pool_timeout_seconds": "operation_timeout_seconds",
    "database_lock_timeout_seconds": "database_statement_timeout_seconds",
}


def require_sensible(settings: Settings) -> None:
    """Raises CommandFailed for a production server with such settings, and names each of them."""
    if settings.is_production and (faults := list(_faults(settings))):
        raise CommandFailed(f"ENVIRONMENT=production refuses {'; '.join(faults)}.")


def _faults(settings: Settings) -> Iterator[str]:
    if "*" in settings.allowed_origins:
        yield "ALLOWED_ORIGINS=*, with which every page can call the API: name the origins"
    for network in settings.trusted_proxies:
        if network.prefixlen == 0:
            yield f"TRUSTED_PROXIES={network}, with which every client can say what its address is"
    if settings.serves_graphiql and not settings.shows_schema:
        yield "GRAPHIQL=true without INTROSPECTION=true, which the page needs"
    if settings.shows_schema and settings.trusted_documents == "only":
        yield "INTROSPECTION=true with TRUSTED_DOCUMENTS=only, which executes no other document"
    for name, longest in _AT_MOST.items():
        seconds, limit = getattr(settings, name), getattr(settings, longest)
        if seconds > limit:
            yield f"{name.upper()}={seconds:g}, which is longer than {longest.upper()}={limit:g}"
