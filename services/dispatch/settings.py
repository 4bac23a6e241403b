"""The environment of dispatch: carrier accounts, periods, and where carriers call back."""

from datetime import timedelta

from pydantic import Field

from services.dispatch.domain.parcels import Policy
from services.dispatch.gateways.dada_mapper import DadaAccount
from services.dispatch.gateways.kuaidi100_mapper import Kuaidi100Account
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """GROUPBUY_SEAL_KEYS must hold keys for the recipient `dispatch`. Periods are seconds of business time."""

    port: int = 8004
    callback_base_url: str = Field(
        default="http://127.0.0.1:8004", description="This service as carriers reach it, for their webhooks"
    )
    dada: DadaAccount = DadaAccount()
    kuaidi100: Kuaidi100Account = Kuaidi100Account()

    accept_within_s: int = Field(default=900, ge=1, description="Errand runner, self-delivery: until accepted")
    hand_over_within_s: int = Field(default=86_400, ge=1, description="Errand runner, self-delivery: until picked up")
    courier_hand_over_within_s: int = Field(default=172_800, ge=1)
    receive_within_s: int = Field(default=86_400, ge=1, description="After delivery, until receipt is automatic")
    courier_receive_within_s: int = Field(default=604_800, ge=1)
    most_attempts: int = Field(
        default=3, ge=1, le=10, description="Carriers' orders per parcel before a person decides"
    )
    breaker_threshold: int = Field(default=5, ge=1)
    breaker_open_s: int = Field(default=30, ge=1)

    def policy(self) -> Policy:
        """The rules' periods and limits as set."""
        return Policy(
            accept_within=timedelta(seconds=self.accept_within_s),
            hand_over_within=timedelta(seconds=self.hand_over_within_s),
            courier_hand_over_within=timedelta(seconds=self.courier_hand_over_within_s),
            receive_within=timedelta(seconds=self.receive_within_s),
            courier_receive_within=timedelta(seconds=self.courier_receive_within_s),
            most_attempts=self.most_attempts,
        )
