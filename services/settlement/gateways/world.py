"""What routes and timers of this service may call."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.settlement.domain.payouts import Reach, Terms
from services.settlement.gateways.bills import Bills
from services.settlement.gateways.channel_book import ChannelBook
from services.settlement.gateways.port import PayoutRail
from shared.contracts.catalog import Rail


@dataclass(frozen=True, slots=True)
class World:
    """What routes and timers of this service may call, and the terms it works by."""

    terms: Terms
    rails: Mapping[Rail, PayoutRail]
    bills: Bills | None = None
    channel_book: ChannelBook | None = None

    @property
    def reach(self) -> Reach:
        """Whom a run may pay by these rails."""
        return Reach(
            rails=[name for name, rail in self.rails.items() if rail.pays_third_parties],
            in_parts=[name for name, rail in self.rails.items() if rail.partial_confirms],
            own_rails=[name for name, rail in self.rails.items() if not rail.pays_third_parties],
            own_merchants=self.terms.self_operated,
            minimum_fen=self.terms.transfer_min_fen,
        )
