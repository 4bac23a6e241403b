"""What routes and timers of this service may call."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.settlement.domain.payouts import Terms
from services.settlement.gateways.bills import Bills
from services.settlement.gateways.port import PayoutRail
from shared.contracts.catalog import Rail


@dataclass(frozen=True, slots=True)
class World:
    """What routes and timers of this service may call, and the terms it works by."""

    terms: Terms
    rails: Mapping[Rail, PayoutRail]
    bills: Bills | None = None

    @property
    def paying_rails(self) -> list[Rail]:
        """The rails on which third parties may be paid."""
        return [name for name, rail in self.rails.items() if rail.pays_third_parties]

    @property
    def rails_in_parts(self) -> list[Rail]:
        return [name for name, rail in self.rails.items() if rail.partial_confirms]
