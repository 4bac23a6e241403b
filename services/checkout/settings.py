"""Environment variables of checkout."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from services.checkout.domain.reviews import ReviewRules
from shared.alipay import AlipaySettings
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What checkout needs beyond what every service has."""

    port: int = Field(default=8002, ge=1, le=65535)
    alipay: AlipaySettings = AlipaySettings()
    qr_product_code: Literal["FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE", "OFFLINE_PAYMENT"] = Field(
        default="FACE_TO_FACE_PAYMENT", description="The product under which Alipay lets us show a code to scan"
    )
    pay_within_minutes: int = Field(default=15, ge=1, le=1440, description="An unpaid order is closed after this")
    placed_together_most: int = Field(
        default=100, ge=1, le=500, description="So many orders at most share a transaction"
    )
    offers_kept_s: float = Field(
        default=1.0, ge=0, le=60, description="A process looks at the terms of a deal again after this"
    )

    review_ask_days: int = Field(
        default=15, ge=1, le=365, description="After a use, a refund may be asked for this long"
    )
    review_hours: int = Field(default=24, ge=1, le=720, description="No answer by the merchant within this is a yes")
    appeal_hours: int = Field(default=48, ge=1, le=720, description="A merchant's no may be appealed for this long")

    @property
    def review_rules(self) -> ReviewRules:
        """The periods of a refund after use."""
        return ReviewRules(
            ask_within=timedelta(days=self.review_ask_days),
            answer_within=timedelta(hours=self.review_hours),
            appeal_within=timedelta(hours=self.appeal_hours),
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
