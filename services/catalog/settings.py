"""Environment variables of catalog."""

from typing import Self

from pydantic import Field, model_validator

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What catalog needs beyond what every service has."""

    port: int = Field(default=8001, ge=1, le=65535)
    first_operator: str | None = Field(
        default=None, min_length=1, max_length=200, description="Subject made operator at start if there is none"
    )

    @model_validator(mode="after")
    def _can_seal_accounts(self) -> Self:
        missing = {"catalog", "settlement"} - self.seal_keys.keys()
        if missing:
            raise ValueError(f"GROUPBUY_SEAL_KEYS lacks the keys of: {', '.join(sorted(missing))}")
        return self
