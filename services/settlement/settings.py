"""The settlement service's environment variables, all with the prefix GROUPBUY_."""

from datetime import time
from uuid import UUID

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
    self_operated: frozenset[UUID] = Field(
        default=frozenset(),
        description="JSON list: merchants that the platform runs itself; only they may be paid by transfer (二清)",
    )
    transfer_min_fen: int = Field(
        default=10, ge=1, description="A trade's payout by transfer waits for a later run while it is less than this"
    )
    transfer_cap_fen: int = Field(
        default=10_000_000, ge=1, description="A transfer of more than this fails, as an incident for an operator"
    )
    alipay: AlipaySettings = AlipaySettings()
