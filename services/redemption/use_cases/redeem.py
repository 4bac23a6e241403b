"""Verify: use certificates, exactly once; then what time and payout make of a use."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.certificates import READERS, REDEEMERS, Order, refusal_to_use, reversible_until
from services.redemption.domain.codes import Codes
from services.redemption.domain.guessing import Guesser
from services.redemption.domain.kept_orders import KeptOrders
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.store import certificates, copies, redemptions, refusals
from services.redemption.store.refusals import Step
from shared.contracts.redemption import CertificateUsed, UseFinal
from shared.contracts.settlement import PaidUse
from shared.contracts.use_rules import why_not_usable
from shared.database import Transaction
from shared.errors import DomainError, IdTaken, NotFound, NotYet
from shared.ids import new_id
from shared.messaging import outbox
from shared.observability import log


async def redeem_at_once(
    tx: Transaction, codes: Codes, orders: KeptOrders, attempt: Attempt, token: str, real_now: datetime
) -> Redemption | None:
    """Use all certificates of the attempt by the one statement that decides, or (None) leave the attempt to `redeem`,
    which also knows why not. One statement at most: this may be a transaction of one."""
    try:
        prepared = codes.read_preparation(token, attempt.operator, attempt.store_id, attempt.unit_ids, real_now)
    except (reasons.PreparationExpired, reasons.PreparationMismatch):
        return None
    order = orders.find(prepared.order_id)
    return None if order is None else await _decide(tx, attempt, order)


async def redeem(
    tx: Transaction, codes: Codes, orders: KeptOrders, attempt: Attempt, token: str, real_now: datetime
) -> Redemption | DomainError:
    """Use all certificates of the attempt, or none. Asked again with the same id, the first result is given again,
    even when the token has ended meanwhile: it is not part of the comparison.

    A refusal is returned, not raised, so that its record is committed."""
    done = await _done_before(tx, attempt)
    if done is None:
        done = await _redeem_first(tx, codes, orders, attempt, token, real_now)
    if isinstance(done, DomainError):
        await refusals.record(
            tx,
            Step.VERIFY,
            done.code,
            Guesser(attempt.operator, attempt.store_id, attempt.device_id),
            attempt.unit_ids,
            attempt.redemption_id,
        )
        log.info("redemption_refused", code=done.code, redemption_id=str(attempt.redemption_id))
    return done


async def _done_before(tx: Transaction, attempt: Attempt) -> Redemption | DomainError | None:
    earlier = await redemptions.find(tx, attempt.redemption_id)
    if earlier is None:
        return None
    return earlier if earlier.attempt == attempt else IdTaken()


async def _redeem_first(
    tx: Transaction, codes: Codes, orders: KeptOrders, attempt: Attempt, token: str, real_now: datetime
) -> Redemption | DomainError:
    try:
        prepared = codes.read_preparation(token, attempt.operator, attempt.store_id, attempt.unit_ids, real_now)
    except (reasons.PreparationExpired, reasons.PreparationMismatch) as refusal:
        return refusal
    order = orders.find(prepared.order_id) or await certificates.order_of(tx, prepared.order_id)
    assert order is not None, "the token names an order that is here"
    orders.keep(order)
    return await use_certificates(tx, attempt, order)


async def use_certificates(
    tx: Transaction, attempt: Attempt, order: Order, reported_by: UUID | None = None
) -> Redemption | DomainError:
    """Decide, and say what was used. `reported_by` is the merchant whose own till has reported the use under its
    signature, where otherwise the operator's place in the store is asked for."""
    # The same attempt may have been decided while this one waited for it.
    return (
        await _decide(tx, attempt, order, reported_by)
        or await _done_before(tx, attempt)
        or await _why_not(tx, attempt, order, reported_by)
    )


async def _decide(
    tx: Transaction, attempt: Attempt, order: Order, reported_by: UUID | None = None
) -> Redemption | None:
    # An order's rules never change, so what they say now still holds in the statement that decides about the rest.
    count = len(attempt.unit_ids)
    if why_not_usable(order.rules, order.window, order.store_ids, attempt.store_id, tx.now, count) is not None:
        return None
    until = reversible_until(tx.now)
    used = [_used(tx, attempt, order, unit_id, until) for unit_id in attempt.unit_ids]
    return await redemptions.decide(tx, attempt, order, used, until, reported_by)


def _used(tx: Transaction, attempt: Attempt, order: Order, unit_id: UUID, until: datetime) -> CertificateUsed:
    """The event, if it comes to that; which use of the certificate it was, the deciding statement says."""
    return CertificateUsed(
        occurred_at=tx.now,
        use_id=new_id(),
        unit_id=unit_id,
        use_no=1,
        order_id=order.order_id,
        merchant_id=order.merchant_id,
        store_id=attempt.store_id,
        used_at=tx.now,
        reversible_until=until,
    )


async def _why_not(tx: Transaction, attempt: Attempt, order: Order, reported_by: UUID | None) -> DomainError:
    if reported_by is None:
        store = await copies.store_for(tx, attempt.operator, attempt.store_id, REDEEMERS)
    else:
        store = await copies.store_of(tx, reported_by, attempt.store_id)
    if store is None:
        return reasons.NotStaffOfStore()
    found = {one.unit_id: one for one in await certificates.certificates_of(tx, order.order_id)}
    for unit_id in attempt.unit_ids:
        refusal = refusal_to_use(found[unit_id], order, store, tx.now, len(attempt.unit_ids))
        if refusal is not None:
            return refusal
    return reasons.ChangedMeanwhile()


async def finalise_uses(tx: Transaction, redemption_ids: Sequence[UUID]) -> None:
    """The uses of these redemptions can no longer be undone, and settlement may pay them."""
    final = await redemptions.finalise(tx, redemption_ids)
    await outbox.emit(tx, *(event for done in final for event in _final(tx, done)))


def _final(tx: Transaction, done: Redemption) -> list[UseFinal]:
    return [
        UseFinal(
            occurred_at=tx.now,
            version=2,
            use_id=use.use_id,
            unit_id=use.unit_id,
            use_no=use.use_no,
            order_id=done.order_id,
            merchant_id=done.merchant_id,
            store_id=done.attempt.store_id,
            used_at=done.used_at,
            cycle=use.cycle,
        )
        for use in done.uses
    ]


async def settle_uses(tx: Transaction, paid: Sequence[PaidUse]) -> None:
    """These uses were paid out; units that are no certificates are none of our business."""
    if waiting := await redemptions.settle(tx, paid):
        raise NotYet(f"{waiting} of the uses paid out are not final here yet")


async def redemption_for(tx: Transaction, redemption_id: UUID, caller: str) -> Redemption:
    """A redemption, for the staff of its store."""
    done = await redemptions.find(tx, redemption_id)
    if done is None or await copies.store_for(tx, caller, done.attempt.store_id, READERS) is None:
        raise NotFound
    return done


async def redemptions_of_store(
    tx: Transaction, store_id: UUID, caller: str, before: tuple[datetime, UUID] | None, limit: int
) -> list[Redemption]:
    """A page of a store's redemptions, newest first, for its staff."""
    if await copies.store_for(tx, caller, store_id, READERS) is None:
        raise reasons.NotStaffOfStore
    return await redemptions.page_of_store(tx, store_id, before, limit)
