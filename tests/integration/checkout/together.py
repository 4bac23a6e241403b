"""What the tests of orders that are placed together share."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.checkout.use_cases.place_order import Wanted
from shared.errors import DomainError
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Stage, a_buyer

Tries = list[int]


def wanted(deal: Deal, buyer: str = "", quantity: int = 1, order_id: UUID | None = None, **more: Any) -> Wanted:
    return Wanted(order_id or new_id(), buyer or a_buyer(), deal.deal_id, 1, quantity, **more)


async def ask(stage: Stage, *many: Wanted) -> list[Any]:
    """All at once, as one process hears them: the first opens a batch of its own, the others share the next."""
    asked = (stage.world.placing.place(stage.db, one) for one in many)
    return await asyncio.gather(*asked, return_exceptions=True)


def codes(outcomes: Sequence[Any]) -> list[str]:
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return [one.code if isinstance(one, DomainError) else "placed" for one in outcomes]
