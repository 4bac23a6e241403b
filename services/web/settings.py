"""The environment variables of the pages."""

import base64
import os
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SEAL_RECIPIENT = "web"


class Settings(BaseSettings):
    """Read from GROUPBUY_… variables. `web` has neither a database nor a broker, so it needs fewer than a service."""

    model_config = SettingsConfigDict(env_prefix="GROUPBUY_", env_nested_delimiter="__", extra="ignore")

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = Field(default="http://127.0.0.1:8000", description="How browsers reach these pages")
    catalog_url: str = "http://127.0.0.1:8001"
    checkout_url: str = "http://127.0.0.1:8002"
    redemption_url: str = "http://127.0.0.1:8003"
    dispatch_url: str = "http://127.0.0.1:8004"
    settlement_url: str = "http://127.0.0.1:8005"
    service_timeout_s: float = Field(default=8.0, gt=0, le=60)
    issuer: str = Field(default="http://127.0.0.1:8006", description="The OpenID provider that signs people in")
    issuer_backchannel_url: str | None = Field(
        default=None, description="Where web itself reaches that provider, if not at its public address (containers)"
    )
    clock_url: str | None = Field(default=None, description="The sandbox's /clock; refused in production")
    oidc_client_id: str = "groupbuy-web"
    oidc_client_secret: SecretStr | None = Field(default=None, description="None for a public client (PKCE only)")
    seal_keys: dict[str, dict[str, str]] = Field(
        default_factory=dict, repr=False, description='JSON: {"web": {key id: 32 bytes in base64}}; seals the cookies'
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("public_url", "issuer", "issuer_backchannel_url")
    @classmethod
    def _without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _cookies_can_be_sealed(self) -> Self:
        if SEAL_RECIPIENT in self.seal_keys:
            return self
        if self.environment == "production":
            raise ValueError('GROUPBUY_SEAL_KEYS needs a key for "web": it seals the cookie that holds the tokens')
        # A development machine may start without configuration; its sign-ins then end with the process.
        self.seal_keys = {**self.seal_keys, SEAL_RECIPIENT: {"ephemeral": base64.b64encode(os.urandom(32)).decode()}}
        return self

    @model_validator(mode="after")
    def _production_time_is_real(self) -> Self:
        if self.environment == "production" and self.clock_url:
            raise ValueError("GROUPBUY_CLOCK_URL moves business time and is refused in production")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers come by HTTPS, so that cookies may say so."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_url).netloc
