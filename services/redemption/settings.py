"""The environment of redemption: GROUPBUY_SEAL_KEYS must hold keys for the recipient `redemption`."""

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What every service reads, on redemption's port."""

    port: int = 8003
