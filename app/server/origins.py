"""Which pages of other origins may call the API (CORS)."""

from collections.abc import Collection, Iterable

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.settings import Settings

# The headers of an answer that a page can read, beside those that it always can.
EXPOSED = (
    "x-request-id",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
)

PREFLIGHT_SECONDS = 7200  # Chromium keeps no answer to a preflight for longer


def cross_origin(settings: Settings) -> list[Middleware]:
    """None if no origin is allowed, so that it costs nothing.

    A page may send any header: the key is one of them, no cookie is ever read, and the libraries of
    clients add headers of their own.
    """
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"] if settings.serves_get else ["POST"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=PREFLIGHT_SECONDS,
        )
    ]


def origin_headers(
    allowed: Collection[str], request_headers: Iterable[tuple[bytes, bytes]]
) -> dict[str, str]:
    """For an answer that does not pass the middleware: the same as that adds."""
    origin = next((value for name, value in request_headers if name == b"origin"), None)
    if origin is None:
        return {}
    exposed = {"access-control-expose-headers": ", ".join(EXPOSED)}
    if "*" in allowed:
        return {"access-control-allow-origin": "*"} | exposed
    if (name := origin.decode("latin-1")) in allowed:
        return {"access-control-allow-origin": name, "vary": "Origin"} | exposed
    return {}
