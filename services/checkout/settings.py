"""Environment variables of checkout."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from shared.alipay import AlipaySettings
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What checkout needs beyond what every service has."""

    port: int = Field(default=8002, ge=1, le=65535)
    alipay: AlipaySettings = AlipaySettings()
    pay_within_minutes: int = Field(default=15, ge=1, le=1440, description="An unpaid order is closed after this")
    placed_together_most: int = Field(
        default=100, ge=1, le=500, description="So many orders at most share a transaction"
    )
    offers_kept_s: float = Field(
        default=1.0, ge=0, le=60, description="A process looks at the terms of a deal again after this"
    )

    @property
    def pay_within(self) -> timedelta:
        """How long an order waits for its money."""
        return timedelta(minutes=self.pay_within_minutes)

    @model_validator(mode="after")
    def _can_seal_addresses(self) -> Self:
        missing = {"checkout", "dispatch"} - self.seal_keys.keys()
        if missing:
            raise ValueError(f"GROUPBUY_SEAL_KEYS lacks the keys of: {', '.join(sorted(missing))}")
        return self
