"""The environment of redemption: GROUPBUY_SEAL_KEYS must hold keys for the recipient `redemption`."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service reads, on redemption's port, and how long a third-party code may take."""

    port: int = 8003
    code_timeout_s: int = Field(
        default=600, ge=1, le=86_400, description="After how many seconds without its code a unit is refunded"
    )
