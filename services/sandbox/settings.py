"""The sandbox's environment variables."""

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, SecretStr, create_model, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.sandbox import domain
from services.sandbox.found import offered

Shop = TypeVar("Shop", bound=BaseModel)


class SandboxSettings(BaseSettings):
    """Everything the sandbox can be told; the defaults serve a laptop without any configuration."""

    model_config = SettingsConfigDict(env_prefix="GROUPBUY_SANDBOX_", env_nested_delimiter="__", extra="ignore")

    environment: Literal["development", "test", "sandbox"] = Field(
        default="development",
        validation_alias="GROUPBUY_ENVIRONMENT",
        description="Any other value, production above all, is refused: whoever asks the sandbox for money gets it.",
    )
    amqp_url: SecretStr | None = Field(
        default=None,
        validation_alias="GROUPBUY_AMQP_URL",
        description="Broker for the clock broadcast; without it the clock moves only what asks /clock.",
    )
    clock_confirm_timeout_s: float = Field(default=10.0, gt=0, description="Patience with the broker's confirmation.")
    host: str = "127.0.0.1"
    port: int = Field(default=8006, ge=1, le=65535)
    public_url: str = "http://127.0.0.1:8006"
    state: Path = Path("var/sandbox/state.sqlite3")
    keys: Path = Path("var/keys")
    log_level: str = "INFO"

    alipay_app_id: str = "2021000000000001"
    alipay_seller_id: str = Field(default="2088000000000001", description="The platform's own Alipay account (PID).")
    alipay_fee_bp: int = Field(default=60, ge=0, le=10_000, description="Alipay's fee on a settle.confirm, 1/100 %.")
    alipay_partial_confirm: bool = Field(default=True, description="May a trade be confirmed in several parts?")
    alipay_refund_days: int = Field(default=365, ge=1, description="After this a trade is TRADE_FINISHED.")
    alipay_bill_hour: int = Field(
        default=10, ge=0, le=23, description="Hour (Shanghai) when yesterday's bill is ready."
    )
    alipay_notify_intervals_s: tuple[float, ...] = Field(
        default=(1, 2, 5, 10, 20, 30, 60, 60),
        description="Pauses between notifies; Alipay's real ones are 4 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h.",
    )
    smids: tuple[str, ...] = Field(default=(), description="Sub-merchants that exist; empty = any 2088 number.")

    carriers_callback_url: str = Field(
        default="http://127.0.0.1:8004/webhooks",
        description="What shops entered at the consoles of carriers that keep one address, without the carrier's part",
    )
    carriers_automatic: bool = Field(default=False, description="Orders walk to delivered by themselves.")
    carriers_step_s: float = Field(default=2.0, gt=0, description="Pause between two steps of such a walk, real time.")

    delivery_timeout_s: float = Field(default=5.0, gt=0, description="Patience with the shop's callback endpoints.")
    keep_finished: int = Field(default=20_000, ge=100, description="Finished notifies and callbacks that are kept.")

    @field_validator("public_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    def shop(self, kind: type[Shop]) -> Shop:
        """Our account at one carrier, by its class. Raises LookupError if no carrier offers it."""
        for name in type(self).model_fields:
            if isinstance(shop := getattr(self, name), kind):
                return shop
        raise LookupError(kind.__name__)


# One member per carrier found, GROUPBUY_SANDBOX_{CARRIER}__….
_SHOPS: dict[str, Any] = {carrier: (shop, shop()) for carrier, shop in offered(domain, "SHOP").items()}
Settings: type[SandboxSettings] = create_model(
    "Settings", __base__=SandboxSettings, __doc__=SandboxSettings.__doc__, **_SHOPS
)
