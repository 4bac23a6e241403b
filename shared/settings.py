"""The environment variables that every service has; each service adds its own in its settings.py."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read from GROUPBUY_… variables; nested fields with `__`. Secrets never appear in a repr or a log."""

    model_config = SettingsConfigDict(env_prefix="GROUPBUY_", env_nested_delimiter="__", extra="ignore")

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    database_url: SecretStr
    amqp_url: SecretStr
    database_pool: int = Field(default=12, ge=3, le=100)
    issuer: str = Field(description="Who signs tokens, exactly as in their `iss`")
    jwks_url: str = Field(description="Where that issuer publishes its keys")
    clock_url: str | None = Field(default=None, description="The sandbox's /clock; refused in production")
    seal_keys: dict[str, dict[str, str]] = Field(
        default_factory=dict, repr=False, description="JSON: recipient service → key id → 32 bytes in base64"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _production_time_is_real(self) -> Self:
        if self.environment == "production" and self.clock_url:
            raise ValueError("GROUPBUY_CLOCK_URL moves business time and is refused in production")
        return self
