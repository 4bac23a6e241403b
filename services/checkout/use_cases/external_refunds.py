"""Money that went back at the channel itself: recorded, never sent, and taken out of whatever waited to be sent."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.checkout.domain.external_refunds import (
    UNDER_WAY,
    WAITING,
    ExternalRefund,
    amounts_of,
    candidates,
    units_for,
)
from services.checkout.domain.orders import Order
from services.checkout.domain.payments import Attempt
from services.checkout.domain.refunds import Refund, RefundState
from services.checkout.domain.refusals import (
    AllocationDoesNotFit,
    ExternalRefundAllocated,
    ExternalRefundNotFound,
    RefundUnderWay,
    TradeNotOfOrder,
    UnitNotOfOrder,
)
from services.checkout.domain.timeline import What
from services.checkout.store import external_refunds as store
from services.checkout.store import orders, payments, refunds
from services.checkout.use_cases import after_use, automatic_refunds, schedule
from services.checkout.use_cases.refunds import tell_success
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundAbandoned, RefundCause
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Transaction
from shared.errors import IdTaken, NotYet
from shared.messaging import outbox, timers
from shared.observability import log

_OURS = (*UNDER_WAY, RefundState.APPROVED, RefundState.FAILED, RefundState.SUCCEEDED)


async def record(tx: Transaction, event: ExternalRefundFound) -> None:
    """The channel's book shows a refund. Raises NotYet before the order is paid here, and while a refund of ours is
    under way: it might be that one's money."""
    order = await orders.lock_order(tx, event.order_id)
    attempt = await payments.paid_attempt(tx, event.order_id)
    if order is None or attempt is None:
        raise NotYet(f"order {event.order_id} is not paid here yet")
    if attempt.out_trade_no != event.out_trade_no:
        raise TradeNotOfOrder(out_trade_no=event.out_trade_no)
    ours = await _hold_refunds(tx, order.order_id)
    if await _is_ours(tx, ours, event):
        return
    if any(refund.state in UNDER_WAY for refund in ours):
        raise NotYet(f"a refund of order {event.order_id} is under way")
    external = await store.add(tx, event, attempt.attempt_id)
    if external is None:
        return
    units = (await orders.units_of(tx, [order.order_id]))[order.order_id]
    amounts = units_for(candidates(units), external.amount_fen)
    if amounts is None:
        await _leave_to_operator(tx, attempt, external)
    else:
        await _take(tx, order, attempt, [external], amounts, by=None)


async def _hold_refunds(tx: Transaction, order_id: UUID) -> list[Refund]:
    await store.hold_refunds(tx, order_id)
    return (await refunds.refunds_of(tx, [order_id]))[order_id]


async def _is_ours(tx: Transaction, ours: Sequence[Refund], event: ExternalRefundFound) -> bool:
    """Whether this is what we sent under that number. One whose outcome we do not know is asked about at once, and one
    that was refused is sent again under its number, which pays nothing twice and tells."""
    same = next((one for one in ours if one.out_request_no == event.channel_refund_no and one.state in _OURS), None)
    if same is not None and same.state is not RefundState.SUCCEEDED:
        await schedule.send_refund(tx, same.refund_id, tx.now)
    return same is not None


async def _leave_to_operator(tx: Transaction, attempt: Attempt, external: ExternalRefund) -> None:
    await store.open_incident(tx, external, attempt)
    log.critical(
        "external_refund_left_to_operator",
        order_id=str(external.order_id),
        out_trade_no=attempt.out_trade_no,
        amount_fen=external.amount_fen,
    )


async def allocate(
    tx: Transaction, refund_id: UUID, unit_ids: Collection[UUID], together_with: Collection[UUID], operator: str
) -> Refund:
    """An operator says for which units the money was; several refunds at the channel may together be one for us. The
    same request again returns the same refund."""
    externals = await _held(tx, refund_id, together_with)
    order = await orders.find_order(tx, externals[0].order_id)
    attempt = await payments.find_attempt(tx, externals[0].attempt_id)
    assert order is not None
    assert attempt is not None
    if any(external.allocated_to is not None for external in externals):
        return await _allocated_before(tx, externals, unit_ids)
    if any(refund.state in UNDER_WAY for refund in await _hold_refunds(tx, order.order_id)):
        raise RefundUnderWay
    units = (await orders.units_of(tx, [order.order_id]))[order.order_id]
    named = [one for one in candidates(units) if one.unit_id in unit_ids]
    if len(named) < len(unit_ids):
        raise UnitNotOfOrder
    amount_fen = sum(external.amount_fen for external in externals)
    amounts = amounts_of(named, amount_fen)
    if amounts is None:
        raise AllocationDoesNotFit(amount_fen=amount_fen, units_fen=sum(one.left_fen for one in named))
    for external in externals:
        await payments.resolve_incident(tx, external.refund_id, operator, "allocated")
    return await _take(tx, order, attempt, externals, amounts, by=operator)


async def _held(tx: Transaction, refund_id: UUID, together_with: Collection[UUID]) -> list[ExternalRefund]:
    """These refunds of one order, the named one first, with the order held."""
    ids = list(dict.fromkeys((refund_id, *together_with)))
    order_ids = {external.order_id for external in await store.find(tx, ids)}
    if len(order_ids) != 1:
        raise ExternalRefundNotFound
    await orders.lock_order(tx, order_ids.pop())
    found = {external.refund_id: external for external in await store.find(tx, ids)}
    if len(found) < len(ids):
        raise ExternalRefundNotFound
    return [found[one] for one in ids]


async def _allocated_before(
    tx: Transaction, externals: Sequence[ExternalRefund], unit_ids: Collection[UUID]
) -> Refund:  # fmt: skip
    recorded = await refunds.find_refund(tx, externals[0].refund_id)
    if recorded is None or any(external.allocated_to != recorded.refund_id for external in externals):
        raise ExternalRefundAllocated
    if set(recorded.units) != set(unit_ids):
        raise IdTaken
    return recorded


async def _take(
    tx: Transaction, order: Order, attempt: Attempt, externals: Sequence[ExternalRefund],
    amounts: Mapping[UUID, int], *, by: str | None,
) -> Refund:  # fmt: skip
    """Record that these units are refunded. The caller holds the order, and no refund of it is under way."""
    first = externals[0]
    released = await _end_waiting(tx, order, amounts)
    claimed = await store.claim_units(tx, order.order_id, list(amounts))
    assert claimed == len(amounts), "the order is held, so its units are what they were"
    refund = Refund(
        refund_id=first.refund_id,
        order_id=order.order_id,
        attempt_id=attempt.attempt_id,
        cause=RefundCause.EXTERNAL.value,
        state=RefundState.SENT,
        amount_fen=sum(amounts.values()),
        reason="refunded at the channel",
        requested_by=by,
        requested_at=tx.now,
        succeeded_at=None,
        refused_code=None,
        tries=0,
        units=dict(amounts),
    )
    if not await refunds.add_refund(tx, refund):
        raise IdTaken
    # It was never sent by us: SENT is only the way to SUCCEEDED within this transaction.
    for_sale = await refunds.succeed(tx, refund.refund_id, max(external.refunded_at for external in externals))
    assert for_sale is not None, "this transaction has just written it"
    await store.allocate(tx, [external.refund_id for external in externals], refund.refund_id, by)
    await orders.add_entry(tx, order.order_id, What.REFUNDED_OUTSIDE, tx.now, refund.refund_id)
    await tell_success(tx, refund, order, for_sale)
    await automatic_refunds.take_up(tx, order, released, automatic_refunds.RECALLS)
    recorded = await refunds.find_refund(tx, refund.refund_id)
    assert recorded is not None
    return recorded


async def _end_waiting(tx: Transaction, order: Order, amounts: Mapping[UUID, int]) -> list[UUID]:
    """Refunds that waited for the money of these units must never be sent. Returns the units that they held beside
    these, which are free again."""
    released: list[UUID] = []
    for refund in (await refunds.refunds_of(tx, [order.order_id]))[order.order_id]:
        if refund.state not in WAITING or not refund.units.keys() & amounts.keys():
            continue
        ended = await refunds.give_up(tx, refund.refund_id, RefundState.ABANDONED, WAITING, None, "external refund")
        assert ended, "order and refunds are held, so the refund still waits"
        for kind in schedule.OF_REFUNDS:
            await timers.cancel(tx, kind, refund.refund_id)
        await orders.add_entry(tx, order.order_id, What.REFUND_ABANDONED, tx.now, refund.refund_id)
        others = [unit_id for unit_id in refund.units if unit_id not in amounts]
        await _release(tx, order, refund, others)
        released += others
    return released


async def _release(tx: Transaction, order: Order, refund: Refund, others: Sequence[UUID]) -> None:
    """Tell whoever fenced what is free again. Certificates whose money went back stay behind the fence that is there,
    until the news of that takes them over; a parcel is one thing, and dispatch knows what of it was refunded. A review
    is over for all that it was about: used units stay used, whatever else is told first."""
    if refund.is_disputed:
        await after_use.say_closed(tx, refund, order)
        return
    unit_ids = tuple(refund.units) if order.kind is DealKind.GOODS else tuple(others)
    if unit_ids:
        await outbox.emit(
            tx,
            RefundAbandoned(
                occurred_at=tx.now,
                refund_id=refund.refund_id,
                order_id=order.order_id,
                kind=order.kind,
                unit_ids=unit_ids,
            ),
        )
