"""Placing one order: everything the buyer saw is frozen, and stock and limit decide in single guarded statements."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.checkout.domain.addresses import masked_address, masked_phone
from services.checkout.domain.offers import Offer, check_delivery, check_sellable
from services.checkout.domain.orders import (
    Order,
    OrderDelivery,
    OrderState,
    OrderUnit,
    UnitState,
    new_order_no,
    unit_values,
)
from services.checkout.domain.refusals import BuyerLimitReached, DealOffline, DealSoldOut
from services.checkout.store import orders, stock
from services.checkout.use_cases import schedule
from shared.contracts.address import Address
from shared.contracts.catalog import DeliveryMode, DeliveryTerms, delivery_fee
from shared.database import Transaction
from shared.errors import IdTaken, Unavailable
from shared.ids import new_id
from shared.phones import phone_lookup
from shared.sealed import Seals


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a buyer asks for. Phones are E.164."""

    order_id: UUID
    buyer: str
    deal_id: UUID
    deal_version: int
    quantity: int
    mode: DeliveryMode | None = None
    address: Address | None = None
    source: str | None = None
    phone: str | None = None
    correlation_id: str | None = None
    """What the order's timers are traced by; no part of what is asked for."""

    def digest(self, seals: Seals) -> bytes:
        """A keyed hash of the whole request, by which a repeated one is recognised without keeping the address."""
        parts = (self.buyer, self.deal_id, self.deal_version, self.quantity, self.mode, self.source)
        address = self.address.model_dump() if self.address else None
        # A request without a phone hashes as it did before there were any.
        phone = [self.phone] if self.phone else []
        return seals.lookup("checkout", json.dumps([*map(str, parts), address, *phone], sort_keys=True))


Placed = tuple[Order, list[OrderUnit]]


async def place_order(tx: Transaction, seals: Seals, pay_within: timedelta, wanted: Wanted) -> Placed:
    """Place the order, or return the one that the same request placed before. Raises the reason why not.

    One order in one transaction, the plain way. `placing` does the same for many at once and falls back to this.
    """
    digest = wanted.digest(seals)
    # The stock is had first: what is read from here on cannot change between the look and the decision by waiting.
    await stock.hold(tx, [wanted.deal_id])
    earlier = await _placed_before(tx, wanted, digest)
    if earlier is not None:
        return earlier
    offer = await stock.find_offer(tx, wanted.deal_id)
    if offer is None:
        raise DealOffline
    check_sellable(offer, wanted.deal_version, wanted.quantity, tx.now)
    order, units = freeze(tx.now, seals, pay_within, wanted, offer, digest)
    order = replace(order, store_ids=await _take(tx, offer, wanted))
    if not await orders.add_order(tx, order, units):
        # The same request would have been seen under the lock of its deal: this is another one with its id, for
        # another deal, that committed since.
        await _placed_before(tx, wanted, digest)
        raise Unavailable
    await schedule.expire_order(tx, order.order_id, order.expires_at)
    return order, units


async def _placed_before(tx: Transaction, wanted: Wanted, digest: bytes) -> Placed | None:
    order = await orders.find_order(tx, wanted.order_id)
    if order is None:
        return None
    if order.request_digest != digest:
        raise IdTaken
    return order, (await orders.units_of(tx, [order.order_id]))[order.order_id]


async def _take(tx: Transaction, offer: Offer, wanted: Wanted) -> tuple[UUID, ...]:
    """The two decisions. Returns the stores that are open at that moment: one may have closed since the offer was
    looked at."""
    reserved = await stock.reserve(tx, offer.deal_id, offer.deal_version, wanted.quantity)
    if reserved is None:
        now_offered = await stock.find_offer(tx, offer.deal_id)
        if now_offered is None:
            # The copy was emptied between the two looks.
            raise DealOffline
        check_sellable(now_offered, wanted.deal_version, wanted.quantity, tx.now)
        raise DealSoldOut(available=now_offered.available)
    limit = offer.per_buyer_limit
    if not await stock.count_for_buyer(tx, offer.deal_id, wanted.buyer, wanted.quantity, limit):
        counted = await stock.counted_for_buyer(tx, offer.deal_id, wanted.buyer)
        raise BuyerLimitReached(left=max(0, limit - counted))
    await schedule.say_availability(tx, reserved.unsaid)
    return reserved.store_ids


def freeze(now: datetime, seals: Seals, pay_within: timedelta, wanted: Wanted, offer: Offer, digest: bytes) -> Placed:
    """The order as this offer says, with its units. Raises when the delivery does not fit."""
    terms = check_delivery(offer, wanted.mode)
    delivery = _delivery(seals, wanted, terms, offer.price_fen * wanted.quantity) if terms else None
    units = _units(offer, wanted.quantity, delivery.fee_fen if delivery else 0)
    order = Order(
        order_id=wanted.order_id,
        order_no=new_order_no(now),
        state=OrderState.PLACED,
        buyer=wanted.buyer,
        merchant_id=offer.merchant_id,
        deal_id=offer.deal_id,
        deal_version=offer.deal_version,
        kind=offer.kind,
        form=offer.form,
        title=offer.title,
        cover=offer.cover,
        quantity=wanted.quantity,
        unit_price_fen=offer.price_fen,
        total_fen=sum(unit.paid_fen for unit in units),
        refunded_fen=0,
        rules=offer.rules,
        cash=offer.cash,
        code_source=offer.code_source,
        refund_policy=offer.refund_policy,
        store_ids=offer.store_ids,
        source=wanted.source,
        request_digest=digest,
        placed_at=now,
        expires_at=now + pay_within,
        paid_at=None,
        closed_at=None,
        delivery=delivery,
        parcel_state=None,
        sealed_phone=seals.seal("checkout", wanted.phone) if wanted.phone else None,
        phone_lookup=phone_lookup(seals, wanted.phone) if wanted.phone else None,
    )
    return order, units


def _units(offer: Offer, quantity: int, fee_fen: int) -> list[OrderUnit]:
    return [
        OrderUnit(
            unit_id=new_id(),
            position=position,
            state=UnitState.OPEN,
            paid_fen=sum(use.paid_fen for use in uses),
            original_price_fen=offer.original_price_fen,
            uses=uses,
            uses_left=len(uses),
        )
        for position, uses in enumerate(unit_values(offer.price_fen, fee_fen, quantity, offer.uses_per_unit))
    ]


def _delivery(seals: Seals, wanted: Wanted, terms: DeliveryTerms, goods_fen: int) -> OrderDelivery:
    assert wanted.mode is not None
    assert wanted.address is not None, "a delivery mode always comes with an address"
    return OrderDelivery(
        mode=wanted.mode,
        fee_fen=delivery_fee(terms, wanted.mode, goods_fen),
        weight_g=terms.weight_g * wanted.quantity,
        category=terms.category,
        sealed_address=seals.seal("checkout", wanted.address.model_dump_json()),
        masked_phone=masked_phone(wanted.address.phone),
        masked_address=masked_address(wanted.address),
    )
