"""Offers kept in this process for a moment, since all who want a hot deal want the same one."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from services.checkout.domain.offers import Offer
from services.checkout.store import stock
from shared.database import Transaction

_KEPT_MOST = 1_000


class Offers:
    """The last offers looked at, by deal. A queue's event reaches one process only, so nobody tells this one that a
    deal has changed: whoever uses an offer compares it with the database."""

    def __init__(self, kept_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept_s = kept_s
        self._clock = clock
        self._offers: OrderedDict[UUID, tuple[float, Offer]] = OrderedDict()

    async def of(self, tx: Transaction, deal_ids: Sequence[UUID]) -> dict[UUID, Offer]:
        """The offers of these deals, those that are not kept by one question."""
        found = {deal_id: offer for deal_id in deal_ids if (offer := self._kept(deal_id)) is not None}
        missing = [deal_id for deal_id in deal_ids if deal_id not in found]
        return found | (await self.anew(tx, missing))

    async def anew(self, tx: Transaction, deal_ids: Iterable[UUID]) -> dict[UUID, Offer]:
        """The offers of these deals as they are now, forgetting what was kept of them."""
        wanted = list(deal_ids)
        if not wanted:
            return {}
        for deal_id in wanted:
            self._offers.pop(deal_id, None)
        found = await stock.find_offers(tx, wanted)
        for deal_id, offer in found.items():
            self._offers[deal_id] = (self._clock() + self._kept_s, offer)
        while len(self._offers) > _KEPT_MOST:
            self._offers.popitem(last=False)
        return found

    def _kept(self, deal_id: UUID) -> Offer | None:
        until, offer = self._offers.get(deal_id, (0.0, None))
        return offer if self._clock() < until else None
