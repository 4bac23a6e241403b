"""Issue the certificates of a paid order, and show them to their buyer."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.redemption.domain.certificates import Certificate, Order, moments_to_remind
from services.redemption.domain.codes import CODE_DIGITS, Codes
from services.redemption.store import certificates, copies, recalls
from services.redemption.use_cases.code_pools import take_from_pool
from services.redemption.use_cases.recalls import recall_units
from services.redemption.use_cases.refunds import answer_waiting
from services.redemption.use_cases.third_party import wait_for_codes
from shared.contracts.catalog import CodeSource, DealForm
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificatesIssued
from shared.contracts.use_rules import use_window
from shared.database import Transaction
from shared.errors import NotFound
from shared.messaging import outbox


async def issue_certificates(
    tx: Transaction, codes: Codes, code_timeout: timedelta, event: OrderPaid, reminder_days: Sequence[int] = ()
) -> None:
    """One certificate per unit; then the refunds that were ahead of the order get their answer, and what no store takes
    any more is recalled at once. The merchant is shared before any of it can be seen, so that a store that is being
    lost at this moment finds either the certificates there, or us knowing."""
    await certificates.lock_order(tx, event.order_id)
    await recalls.share_merchant(tx, event.merchant_id)
    is_third_party = event.form is DealForm.THIRD_PARTY_CODE
    codes_due_at = tx.now + code_timeout if is_third_party else None
    window = use_window(event.rules, event.paid_at)
    reminders = moments_to_remind(window.until, reminder_days, tx.now)
    if not await certificates.add_order(tx, event, window, codes_due_at, reminders):
        return
    if codes_due_at is not None:
        await _add_without_codes(tx, event)
        await _look_for_codes(tx, event, codes_due_at)
    else:
        await _add_with_codes(tx, codes, event)
    await answer_waiting(tx, event.order_id)
    await recall_units(tx, [unit.unit_id for unit in event.units])


async def _add_with_codes(tx: Transaction, codes: Codes, event: OrderPaid) -> None:
    for position, unit in enumerate(event.units):
        values = [use.paid_fen for use in unit.uses]
        await _add_with_new_code(tx, codes, event, unit.unit_id, position, values)
    unit_ids = tuple(unit.unit_id for unit in event.units)
    await outbox.emit(tx, CertificatesIssued(occurred_at=tx.now, order_id=event.order_id, unit_ids=unit_ids))


async def _add_without_codes(tx: Transaction, event: OrderPaid) -> None:
    for position, unit in enumerate(event.units):
        values = [use.paid_fen for use in unit.uses]
        await certificates.add_without_code(tx, event.order_id, unit.unit_id, position, values)


async def _look_for_codes(tx: Transaction, event: OrderPaid, until: datetime) -> None:
    """Take what the merchant's pool has, at once; refunds that are ahead of the order fence it with its code."""
    waiting = len(event.units)
    if event.code_source is not CodeSource.CALLBACK:
        waiting = await take_from_pool(tx, event.order_id, event.merchant_id, event.deal_id)
    if waiting:
        await wait_for_codes(tx, event.order_id, until)


async def _add_with_new_code(
    tx: Transaction, codes: Codes, event: OrderPaid, unit_id: UUID, position: int, values: Sequence[int]
) -> None:
    # Even with a billion codes in use, one draw in a thousand meets a code that is taken; then we draw again. A code
    # that the merchant imported is taken too: at the counter one code must mean one certificate.
    added = False
    while not added:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        imported = codes.lookup_for(event.merchant_id, code)
        added = await certificates.add_certificate(
            tx, event.order_id, unit_id, position, values, codes.lookup(code), codes.seal(code), imported
        )


async def certificates_of_buyer(
    tx: Transaction, order_id: UUID, caller: str
) -> tuple[Order, list[Certificate], list[str]]:
    """The caller's order, its certificates, and the names of the stores that take them."""
    order = await certificates.order_of(tx, order_id)
    if order is None or order.buyer != caller:
        raise NotFound
    names = await copies.store_names(tx, order.store_ids, order.merchant_id)
    return order, await certificates.certificates_of(tx, order_id), names
