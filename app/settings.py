"""Settings, from the environment or a file `.env` in the working folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# More than one process can serve, so that only a client that loops is refused.
PRODUCTION_POINTS_PER_SECOND = 2_000_000
BURST_SECONDS = 10

MAX_POINTS = 2_000_000_000  # GraphQL's Int


class DatabaseSettings(BaseModel):
    """How each process uses the database. The last two concern only PostgreSQL."""

    database_pool_size: int = Field(default=10, ge=1)
    database_pool_overflow: int = Field(default=10, ge=0)
    database_pool_timeout_seconds: float = Field(default=8, gt=0)  # before that of operations
    database_statement_timeout_seconds: float = Field(default=10, gt=0)
    database_lock_timeout_seconds: float = Field(default=5, gt=0)
    database_prepared_statements: bool = True


class LimitSettings(BaseModel):
    """The most that one request may ask for. docs/api.md describes each under Limits."""

    max_document_tokens: int = Field(default=1_000, ge=1)
    max_document_depth: int = Field(default=15, ge=1)
    max_document_aliases: int = Field(default=30, ge=0)
    max_document_repeats: int = Field(default=30, ge=1)
    max_document_root_fields: int = Field(default=20, ge=1)
    max_document_directives: int = Field(default=50, ge=0)
    max_document_operations: int = Field(default=10, ge=1)
    max_operation_cost: int = Field(default=50_000, ge=1, le=MAX_POINTS)
    max_variable_values: int = Field(default=250_000, ge=1)
    max_errors: int = Field(default=100, ge=1)
    max_answer_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    operation_timeout_seconds: float = Field(default=10, gt=0)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The token bucket of each key."""

    points_per_second: int
    burst_points: int


class RateLimitSettings(LimitSettings):
    """The points that the operations of a key may cost. Unset, both depend on others."""

    rate_limit_points_per_second: int | None = Field(default=None, ge=0, le=MAX_POINTS)
    rate_limit_burst_points: int | None = Field(default=None, ge=1, le=MAX_POINTS)

    @field_validator("rate_limit_burst_points")
    @classmethod
    def _admits_every_operation(cls, points: int | None, info: ValidationInfo) -> int | None:
        cost = info.data.get("max_operation_cost", 0)  # not there if it is wrong
        if points is not None and points < cost:
            raise PydanticCustomError(
                "burst", f"must be at least MAX_OPERATION_COST, which is {cost:,}"
            )
        return points


def _separated(value: Any) -> Any:
    """The parts of a text between commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


# As browsers write it: in lower case, without the port that the scheme has anyway, and no path.
_ORIGIN = re.compile(
    r"\*|(?!http://[^/]*:80$|https://[^/]*:443$)[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[1-9]\d{0,4})?"
    r"|https?://\[[0-9a-f:]+\](:[1-9]\d{0,4})?"
)


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise PydanticCustomError(
            "origin",
            "must be an origin as browsers send it, such as https://app.example.com: in lower case "
            "and without a path or the default port",
        )
    return text


class SurfaceSettings(BaseModel):
    """What callers and pages may see and do. None means in development only."""

    introspection: bool | None = None
    graphiql: bool | None = None
    get_requests: bool | None = None
    allowed_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_separated)
    ] = ()


class Settings(BaseSettings, DatabaseSettings, RateLimitSettings, SurfaceSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str = "sqlite+aiosqlite:///rollcall.db"
    environment: Literal["development", "production"] = "development"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    otel_exporter_otlp_endpoint: str | None = None
    max_connections: int = Field(default=1000, ge=1)
    max_concurrent_requests: int = Field(default=500, ge=1)
    receive_timeout_seconds: float = Field(default=10, gt=0)
    send_timeout_seconds: float = Field(default=10, gt=0)
    trusted_proxies: Annotated[
        tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_separated)
    ] = ()
    trusted_documents: Literal["optional", "only"] = "optional"
    trusted_documents_manifest: Path | None = Field(default=None, validate_default=True)

    @field_validator("trusted_documents_manifest")
    @classmethod
    def _is_given_where_demanded(cls, path: Path | None, others: ValidationInfo) -> Path | None:
        if path is None and others.data.get("trusted_documents") == "only":
            raise PydanticCustomError("missing", "TRUSTED_DOCUMENTS=only needs it")
        return path

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def shows_schema(self) -> bool:
        """By introspection, and by suggestions in messages."""
        return self._in_development(self.introspection)

    @property
    def serves_graphiql(self) -> bool:
        return self._in_development(self.graphiql)

    @property
    def serves_get(self) -> bool:
        return self._in_development(self.get_requests)

    def _in_development(self, setting: bool | None) -> bool:
        return not self.is_production if setting is None else setting

    @property
    def is_postgresql(self) -> bool:
        return self.database_url.startswith("postgresql")

    @property
    def rate_limit(self) -> RateLimit | None:
        """None where keys are not limited."""
        points = self.rate_limit_points_per_second
        if points is None and self.is_production and self.is_postgresql:
            points = PRODUCTION_POINTS_PER_SECOND
        if not points:
            return None
        burst = max(min(points * BURST_SECONDS, MAX_POINTS), self.max_operation_cost)
        return RateLimit(points, self.rate_limit_burst_points or burst)
