"""The environment of redemption: GROUPBUY_SEAL_KEYS must hold keys for the recipient `redemption`, and for `phone` if
shops are to find certificates by the buyer's phone."""

from typing import Annotated

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service reads, on redemption's port, and the periods of codes and reminders."""

    port: int = 8003
    code_timeout_s: int = Field(
        default=600, ge=1, le=86_400, description="After how many seconds without its code a unit is refunded"
    )
    expiry_reminder_days: Annotated[tuple[Annotated[int, Field(ge=1, le=90)], ...], Field(max_length=5)] = Field(
        default=(3, 1), description="So many days before it expires, the buyer of an unused certificate is reminded"
    )
