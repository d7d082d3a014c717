"""Settings, from the environment or a file `.env` in the working folder."""

from typing import Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseModel):
    """How each process uses the database. The last two concern only PostgreSQL."""

    database_pool_size: int = Field(default=10, ge=1)
    database_pool_overflow: int = Field(default=10, ge=0)
    database_pool_timeout_seconds: float = Field(default=10, gt=0)
    database_statement_timeout_seconds: float = Field(default=10, gt=0)
    database_lock_timeout_seconds: float = Field(default=5, gt=0)
    database_prepared_statements: bool = True


class Settings(BaseSettings, DatabaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str = "sqlite+aiosqlite:///rollcall.db"
    environment: Literal["development", "production"] = "development"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"
