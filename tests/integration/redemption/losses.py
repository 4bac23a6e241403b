"""What catalog says when a store or a merchant is lost: two events of one version, one with effects, one for copies."""

from dataclasses import dataclass, replace
from uuid import UUID

from services.redemption import consumers
from services.redemption.world import RedemptionWorld
from shared.contracts import Event
from shared.contracts.catalog import (
    MerchantChanged,
    MerchantState,
    MerchantSuspended,
    StoreChanged,
    StoreClosed,
    StoreClosure,
)
from shared.contracts.checkout import OrderPaid, RefundCause, RefundRequested
from shared.contracts.redemption import CertificateRecalled
from shared.database import Database
from shared.ids import derived_id, new_id
from tests.integration.redemption.stage import Shop, Stage, refund_request, units_of


@dataclass(frozen=True, slots=True)
class Loss:
    """The event that recalls, and the copy's."""

    recalling: StoreClosed | MerchantSuspended
    changed: StoreChanged | MerchantChanged

    async def arrives(self, db: Database) -> None:
        """Both, the copy's first."""
        for event in (self.changed, self.recalling):
            await hear(event, db)


async def hear(event: Event, db: Database, world: RedemptionWorld | None = None) -> None:
    """Redemption hears an event."""
    for queue, handler in consumers.handles.by_queue.items():
        if queue in event.readers:
            await handler.run(event, db, world)


def store_lost(
    stage: Stage,
    shop: Shop,
    closure: StoreClosure = StoreClosure.CLOSED,
    *,
    version: int = 2,
    holder: UUID | None = None,
) -> Loss:
    """The shop's store is closed, given back, or (with a new holder) transferred."""
    changed = StoreChanged(
        occurred_at=stage.now(), version=version, store_id=shop.store_id, merchant_id=holder or shop.merchant_id,
        name=shop.name, city="成都", address="春熙路 1 号", latitude=30.65, longitude=104.08, phone="02812345678",
        open=closure is StoreClosure.TRANSFERRED,
    )  # fmt: skip
    closed = StoreClosed(
        occurred_at=stage.now(), version=version, store_id=shop.store_id, merchant_id=shop.merchant_id, name=shop.name,
        city="成都", closure=closure, reason="租约到期",
    )  # fmt: skip
    return Loss(closed, changed)


def suspended(stage: Stage, shop: Shop, *, version: int = 2) -> Loss:
    """The shop's merchant is suspended."""
    facts = {
        "occurred_at": stage.now(), "version": version, "merchant_id": shop.merchant_id, "name": "蜀香老火锅",
        "phone": "02812345678", "state": MerchantState.SUSPENDED,
    }  # fmt: skip
    return Loss(MerchantSuspended(**facts, reason="涉嫌欺诈"), MerchantChanged(**facts))


def reinstated(stage: Stage, shop: Shop, *, version: int = 3) -> MerchantChanged:
    """The suspension is lifted."""
    changed = suspended(stage, shop, version=version).changed
    assert isinstance(changed, MerchantChanged)
    return changed.model_copy(update={"state": MerchantState.VERIFIED})


def taken_over(shop: Shop) -> Shop:
    """The same store in the hands of another merchant, with a clerk of theirs."""
    other = Shop()
    return replace(other, store_id=shop.store_id, staff_id=new_id(), name=shop.name)


async def recalls(stage: Stage, order: OrderPaid) -> list[str]:
    """The reasons for which certificates of this order were announced as recalled."""
    return [
        event.reason.value
        for unit_id in units_of(order)
        for event in await stage.said(CertificateRecalled, unit_id)
    ]  # fmt: skip


async def lose(stage: Stage, loss: Loss) -> None:
    """A loss is heard, and the recall does its work."""
    await loss.arrives(stage.db)
    await stage.act()


def recall_refund(order: OrderPaid) -> RefundRequested:
    """What checkout asks after the recall of the order's first certificate."""
    unit_id = units_of(order)[0]
    return refund_request(order, [unit_id]).model_copy(
        update={"refund_id": derived_id(unit_id, "RECALLED"), "cause": RefundCause.RECALLED}
    )
