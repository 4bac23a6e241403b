"""The settlement service's environment variables, all with the prefix GROUPBUY_."""

from datetime import time

from pydantic import Field

from shared.alipay import AlipaySettings
from shared.money import PAYMENT_FEE_BP
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What settlement can be told."""

    port: int = Field(default=8005, ge=1, le=65535)
    fee_bp: int = Field(default=PAYMENT_FEE_BP, ge=0, le=10_000, description="Alipay's fee on a confirm, 1/100 %")
    run_at: time = Field(default=time(0, 30), description="When a day's payout run starts, on the clock of Shanghai")
    partial_confirms: bool = Field(
        default=True, description="Whether Alipay takes several settle.confirm for one trade; else only one, for all"
    )
    denials_max: int = Field(
        default=12,
        ge=1,
        le=100,
        description="How often Alipay may deny one settle.confirm (ACQ.TRADE_SETTLE_ERROR) before an operator decides",
    )
    alipay: AlipaySettings = AlipaySettings()
