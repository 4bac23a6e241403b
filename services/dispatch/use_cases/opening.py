"""Opens the parcel of a paid order of goods."""

from datetime import datetime
from uuid import UUID

from services.dispatch.domain.parcels import Stop
from services.dispatch.domain.receive_codes import new_receive_code
from services.dispatch.domain.refusals import DeliveryMissing
from services.dispatch.domain.routing import GeoPoint, StorePlace, departure
from services.dispatch.domain.timeline import What
from services.dispatch.store import copies, fences, happenings, parcels
from services.dispatch.store.parcels import NewParcel, Parcel
from services.dispatch.use_cases import announcing, clockwork, deadlines, stopping
from services.dispatch.world import OWNER, DispatchWorld
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import DeliveryRequest, OrderPaid
from shared.database import Transaction
from shared.errors import NotYet
from shared.ids import derived_id
from shared.messaging import timers


async def open_parcel(tx: Transaction, world: DispatchWorld, event: OrderPaid) -> None:
    """One parcel for the order, its address still sealed. Refunds that came first are answered at once."""
    if event.kind is not DealKind.GOODS:
        return
    if event.delivery is None:
        raise DeliveryMissing
    await parcels.hold_order(tx, event.order_id)
    store_id = await _departure(tx, world, event, event.delivery)
    accept_by = await deadlines.accept_by(tx, world.policy, store_id, event.delivery.mode)
    parcel = await parcels.add_parcel(tx, _new_parcel(world, event, event.delivery, store_id, tx.now, accept_by))
    if parcel is None:
        return
    await happenings.note(tx, parcel.parcel_id, What.PLACED)
    await timers.schedule(tx, clockwork.ACCEPT_DEADLINE, parcel.parcel_id, parcel.accept_by)
    await _answer_what_came_first(tx, parcel)


async def _departure(tx: Transaction, world: DispatchWorld, event: OrderPaid, delivery: DeliveryRequest) -> UUID:
    stores = await copies.stores_for(tx, event.merchant_id, event.store_ids)
    address = world.address(delivery.sealed_address)
    places = [StorePlace(store.store_id, store.place, store.open) for store in stores]
    chosen = departure(places, GeoPoint(address.latitude, address.longitude))
    if chosen is None:
        raise NotYet("none of the order's stores has been heard of yet")
    return chosen.store_id


def _new_parcel(
    world: DispatchWorld, event: OrderPaid, delivery: DeliveryRequest, store_id: UUID, now: datetime,
    accept_by: datetime,
) -> NewParcel:  # fmt: skip
    uses = [use for unit in event.units for use in unit.uses]
    return NewParcel(
        parcel_id=derived_id(event.order_id, "parcel"),
        order_id=event.order_id,
        order_no=event.order_no,
        buyer=event.buyer,
        merchant_id=event.merchant_id,
        store_id=store_id,
        title=event.title,
        unit_ids=[unit.unit_id for unit in event.units],
        mode=delivery.mode,
        fee_fen=delivery.fee_fen,
        value_fen=sum(use.paid_fen - use.delivery_fen for use in uses),
        weight_g=delivery.weight_g,
        category=delivery.category,
        sealed_address=delivery.sealed_address,
        sealed_receive_code=world.seals.seal(OWNER, new_receive_code()),
        placed_at=event.paid_at,
        # From now, not from the payment: an order that reached us late leaves the merchant its whole time.
        accept_by=accept_by,
        # A night before the store opens is no time that anybody had.
        hand_over_by=max(now + world.policy.to_hand_over(delivery.mode), accept_by),
    )


async def _answer_what_came_first(tx: Transaction, parcel: Parcel) -> None:
    """Tombstones: a refund may overtake the order that it refunds."""
    for fence in await fences.waiting(tx, parcel.order_id):
        await stopping.answer_refund(tx, await parcels.find_parcel(tx, parcel.parcel_id) or parcel, fence)
    if await announcing.is_refunded_whole(tx, parcel):
        refund_id = await fences.last_closed(tx, parcel.order_id)
        noted = await parcels.note_refund(tx, parcel.parcel_id, refund_id)
        await stopping.begin_stop(tx, noted or parcel, Stop.REFUNDED)
