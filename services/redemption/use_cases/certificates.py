"""Issue the certificates of a paid order, and show them to their buyer."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain.certificates import Certificate, Order
from services.redemption.domain.codes import CODE_DIGITS, Codes
from services.redemption.store import certificates, copies
from services.redemption.use_cases.refunds import answer_waiting
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificatesIssued
from shared.contracts.use_rules import use_window
from shared.database import Transaction
from shared.errors import NotFound
from shared.messaging import outbox


async def issue_certificates(tx: Transaction, codes: Codes, event: OrderPaid) -> None:
    """One certificate per unit; then the refunds that were ahead of the order get their answer."""
    await certificates.lock_order(tx, event.order_id)
    if not await certificates.add_order(tx, event, use_window(event.rules, event.paid_at)):
        return
    for position, unit in enumerate(event.units):
        values = [use.paid_fen for use in unit.uses]
        await _add_with_new_code(tx, codes, event.order_id, unit.unit_id, position, values)
    unit_ids = tuple(unit.unit_id for unit in event.units)
    await outbox.emit(tx, CertificatesIssued(occurred_at=tx.now, order_id=event.order_id, unit_ids=unit_ids))
    await answer_waiting(tx, event.order_id)


async def _add_with_new_code(
    tx: Transaction, codes: Codes, order_id: UUID, unit_id: UUID, position: int, values: Sequence[int]
) -> None:
    # Even with a billion codes in use, one draw in a thousand meets a code that is taken; then we draw again.
    added = False
    while not added:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        added = await certificates.add_certificate(
            tx, order_id, unit_id, position, values, codes.lookup(code), codes.seal(code)
        )


async def certificates_of_buyer(
    tx: Transaction, order_id: UUID, caller: str
) -> tuple[Order, list[Certificate], list[str]]:
    """The caller's order, its certificates, and the names of the stores that take them."""
    order = await certificates.order_of(tx, order_id)
    if order is None or order.buyer != caller:
        raise NotFound
    return order, await certificates.certificates_of(tx, order_id), await copies.store_names(tx, order.store_ids)
