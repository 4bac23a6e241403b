"""Facts from the other services become states of uses and postings in the ledger."""

from datetime import datetime
from itertools import groupby
from uuid import UUID

from services.settlement.domain import ledger
from services.settlement.domain.ledger import Entry, PostingKind, posting_set
from services.settlement.domain.uses import (
    Fact,
    Use,
    UseState,
    ValueDoesNotAddUp,
    Verdict,
    due_on,
    refunded_uses,
    value_of,
    verdict,
)
from services.settlement.store import instructions
from services.settlement.store import uses as store
from services.settlement.store.ledger import post
from shared.clock import business_day
from shared.contracts.checkout import OrderPaid, RefundSucceeded
from shared.contracts.dispatch import ParcelReceived
from shared.contracts.redemption import CertificateUsed, UseFinal, UseReversed, version_of_use
from shared.database import Transaction
from shared.errors import NotYet
from shared.ids import derived_id


async def record_order(tx: Transaction, order: OrderPaid) -> None:
    """Hold the value of every use that was bought. Raises ValueDoesNotAddUp unless they sum to what was paid."""
    uses = [(unit.unit_id, no, value_of(use)) for unit in order.units for no, use in enumerate(unit.uses, start=1)]
    values = [value for _, _, value in uses]
    if sum(value.paid_fen for value in values) != order.paid_fen:
        raise ValueDoesNotAddUp(paid_fen=order.paid_fen)
    if not await store.add_order(tx, order):
        return
    await store.add_uses(tx, order.order_id, order.merchant_id, uses)
    entries = ledger.received(values)
    set_id = derived_id(order.order_id, PostingKind.ORDER_PAID)
    await post(tx, [posting_set(set_id, PostingKind.ORDER_PAID, order.order_id, order.paid_at, entries)])


async def record_use(tx: Transaction, event: CertificateUsed) -> None:
    """A use earns its value, still reversibly. Raises NotYet while its order has not arrived."""
    version = version_of_use(event.cycle)
    moved = await store.mark_used(
        tx,
        event.unit_id,
        event.use_no,
        event.use_id,
        event.store_id,
        event.used_at,
        business_day(event.used_at),
        due_on(event.used_at),
        version,
    )
    if not moved:
        await _wait_if_too_early(tx, event.unit_id, event.use_no, Fact.USED, version)


async def record_reversed_use(tx: Transaction, event: UseReversed) -> None:
    """A use was undone: its value is held as before. Using posted nothing, so there is nothing to post back. Raises
    NotYet while its order has not arrived; the use itself may still come, and is history then."""
    version = version_of_use(event.cycle, is_reversed=True)
    if not await store.mark_reversed(tx, event.unit_id, event.use_no, version):
        await _wait_if_too_early(tx, event.unit_id, event.use_no, Fact.REVERSED, version)


async def finalise_use(tx: Transaction, event: UseFinal) -> None:
    """A use that nobody can reverse any more is owed to its merchant. Raises NotYet before the use itself."""
    use = await store.mark_final(tx, event.unit_id, event.use_no, event.use_id)
    if use is None:
        await _wait_if_too_early(tx, event.unit_id, event.use_no, Fact.FINAL)
    else:
        await _post_earned(tx, [use], event.used_at)


async def finalise_parcel(tx: Transaction, event: ParcelReceived) -> None:
    """Received goods are used and final at once. Raises NotYet while their order has not arrived."""
    received_at = event.received_at
    uses = await store.mark_received(
        tx, event.unit_ids, event.store_id, received_at, business_day(received_at), due_on(received_at)
    )
    if not uses:
        await _wait_for_goods(tx, event)
    await _post_earned(tx, uses, received_at)


async def record_refund(tx: Transaction, event: RefundSucceeded) -> None:
    """The buyer has money back: from what is held or payable, else the merchant owes it.

    Raises NotYet while the order, or a use that decides what is left, has not arrived; RefundDoesNotFit if the
    amount can never be right.
    """
    amounts = {unit.unit_id: unit.amount_fen for unit in event.units}
    use_nos = {unit.unit_id: unit.use_nos for unit in event.units}
    locked = await store.lock_units(tx, list(amounts))
    entries: list[Entry] = []
    for unit_id, uses in groupby(locked, key=lambda use: use.unit_id):
        unit_uses = list(uses)
        amount_fen = amounts.pop(unit_id)
        if any(use.refund_id == event.refund_id for use in unit_uses):
            continue
        chosen = refunded_uses(unit_uses, amount_fen, use_nos[unit_id])
        if chosen is None:
            raise NotYet(f"unit {unit_id} has uses that have not been heard of")
        for use in chosen:
            entries += await _give_back(tx, use, event)
    if amounts:
        raise NotYet(f"order {event.order_id} is not here yet")
    set_id = derived_id(event.refund_id, PostingKind.REFUND)
    await post(tx, [posting_set(set_id, PostingKind.REFUND, event.order_id, event.occurred_at, entries)])


async def _give_back(tx: Transaction, use: Use, event: RefundSucceeded) -> list[Entry]:
    committed = use.state is UseState.PAID or (
        use.state is UseState.CLAIMED and not await instructions.withdraw(tx, use.unit_id, use.use_no)
    )
    await store.mark_refunded(tx, use, event.refund_id, event.occurred_at, committed=committed)
    if use.instruction_id is not None and not committed:
        await instructions.share_fee_anew(tx, use.instruction_id)
    return ledger.refunded(use.value, use.merchant_id, use.state, committed=committed)


async def _post_earned(tx: Transaction, uses: list[Use], earned_at: datetime) -> None:
    await post(
        tx,
        [
            posting_set(
                _earned_id(use),
                PostingKind.USE_FINAL,
                use.order_id,
                earned_at,
                ledger.earned(use.value, use.merchant_id),
            )
            for use in uses
        ],
    )


def _earned_id(use: Use) -> UUID:
    return derived_id(use.unit_id, f"{PostingKind.USE_FINAL}/{use.use_no}")


async def _wait_if_too_early(
    tx: Transaction, unit_id: UUID, use_no: int, fact: Fact, version: int | None = None
) -> None:
    """Leave a fact that moved nothing to a later attempt, unless it is history.

    A fact that would apply *now* is too early as well: its predecessor was committed after our statement had looked,
    and taking the message for done would lose it.
    """
    state, heard = await store.state_of(tx, unit_id, use_no) or (None, 0)
    if verdict(state, fact, is_news=version is None or version > heard) is not Verdict.PAST:
        raise NotYet(f"{fact} came before its predecessor: use {use_no} of unit {unit_id} is {state}")


async def _wait_for_goods(tx: Transaction, event: ParcelReceived) -> None:
    known = await store.lock_units(tx, list(event.unit_ids))
    is_past = all(verdict(use.state, Fact.RECEIVED) is Verdict.PAST for use in known)
    if len({use.unit_id for use in known}) < len(event.unit_ids) or not is_past:
        raise NotYet(f"order {event.order_id} is not here yet")
