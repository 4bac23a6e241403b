"""A used unit whose buyer wants the money back, and what everybody says about it in turn."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from services.checkout.consumers import disputes
from shared.contracts.catalog import StaffRole
from shared.contracts.redemption import UseDisputed
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import finish, use
from tests.integration.checkout.stage import Purchase, Stage

WHY_NOT = "菜品已全部上齐，顾客用餐后才申请"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One refund after use."""

    stage: Stage
    purchase: Purchase
    refund_id: UUID
    manager: str

    def said(self) -> UseDisputed:
        """Redemption's word that it holds the uses back."""
        return UseDisputed(
            occurred_at=self.stage.now(), refund_id=self.refund_id, order_id=self.purchase.order_id,
            merchant_id=self.purchase.deal.merchant_id, unit_ids=(new_id(),),
        )  # fmt: skip

    async def open(self) -> None:
        await disputes.review_refund(self.said(), self.stage.db, self.stage.world)

    async def answer(self, agreed: bool, reason: str | None = None, who: str | None = None) -> httpx.Response:
        body: dict[str, Any] = {"agreed": agreed, "reason": reason}
        return await self.stage.put(who or self.manager, f"/refunds/{self.refund_id}/review", body)

    async def appeal(self, text: str = "上菜两小时，附照片", who: str | None = None) -> httpx.Response:
        return await self.stage.put(who or self.purchase.buyer, f"/refunds/{self.refund_id}/appeal", {"text": text})

    async def arbitrate(self, operator: str, *, upheld: bool, reason: str = "照片可信") -> httpx.Response:
        body = {"upheld": upheld, "reason": reason}
        return await self.stage.put(operator, f"/refunds/{self.refund_id}/arbitration", body)

    async def state(self) -> str:
        return await self.purchase.refund_state(self.refund_id)

    async def view(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.stage.get(self.purchase.buyer, f"/refunds/{self.refund_id}")).json()
        return found

    async def what(self) -> list[str]:
        """The order's timeline."""
        return [entry["what"] for entry in (await self.purchase.view())["timeline"]]


async def used(stage: Stage, deal: Deal | None = None, *, final: bool = False, quantity: int = 1) -> Purchase:
    """A paid order whose units have all been used."""
    purchase = await stage.paid(deal, quantity=quantity)
    for unit_id in await purchase.unit_ids():
        event = await use(stage, purchase, unit_id)
        if final:
            await finish(stage, event)
    return purchase


async def asked(stage: Stage, purchase: Purchase | None = None) -> Dispute:
    """A refund after use that redemption has not answered yet."""
    purchase = purchase or await used(stage)
    manager = await stage.staff(purchase.deal, StaffRole.MANAGER)
    return Dispute(stage, purchase, await purchase.refunding(), manager)


async def in_review(stage: Stage, purchase: Purchase | None = None) -> Dispute:
    """A refund after use that waits for the merchant."""
    dispute = await asked(stage, purchase)
    await dispute.open()
    return dispute


async def contested(stage: Stage, purchase: Purchase | None = None) -> Dispute:
    """A refund after use that the merchant has refused."""
    dispute = await in_review(stage, purchase)
    assert (await dispute.answer(False, WHY_NOT)).status_code == 200
    return dispute


async def in_arbitration(stage: Stage, purchase: Purchase | None = None) -> Dispute:
    """A refund after use that waits for the platform."""
    dispute = await contested(stage, purchase)
    assert (await dispute.appeal()).status_code == 200
    return dispute
