"""A buyer's certificates by the phone that was left with the order: listed for the shop, and nothing to redeem with."""

from dataclasses import dataclass

from services.redemption.domain import refusals as reasons
from services.redemption.domain.certificates import REDEEMERS, Certificate, Order, refusal_to_use
from services.redemption.domain.guessing import Guesser
from services.redemption.store import certificates, copies, phones, refusals
from services.redemption.store.refusals import Step
from shared.database import Transaction
from shared.errors import DomainError
from shared.observability import log

ORDERS_SHOWN = 20
LISTED = "phone_listed"
UNKNOWN = "phone_unknown"


@dataclass(frozen=True, slots=True)
class ByPhone:
    """A certificate, its order, and why it cannot be used in this store now (None: it can)."""

    certificate: Certificate
    order: Order
    refusal: DomainError | None


async def list_by_phone(tx: Transaction, guesser: Guesser, phone_lookup: bytes) -> list[ByPhone] | DomainError:
    """What the owner of this phone can still use of what the store's merchant has sold, of his newest orders. Who asks
    is noted; numbers that nobody left count like wrong codes.

    A refusal is returned, not raised, so that its record is committed."""
    store = await copies.store_for(tx, guesser.operator, guesser.store_id, REDEEMERS)
    if store is None:
        await refusals.record(tx, Step.PHONE, reasons.NotStaffOfStore.code, guesser)
        return reasons.NotStaffOfStore()
    if (seconds := await refusals.locked_for(tx, guesser)) is not None:
        await refusals.record(tx, Step.PHONE, reasons.TooManyAttempts.code, guesser)
        return reasons.TooManyAttempts(retry_after_s=seconds)
    found: list[ByPhone] = []
    for order in await phones.orders_by_phone(tx, store.merchant_id, phone_lookup, ORDERS_SHOWN):
        found += [
            ByPhone(one, order, refusal_to_use(one, order, store, tx.now))
            for one in await certificates.certificates_of(tx, order.order_id)
            if one.state in phones.USABLE
        ]
    await refusals.record(
        tx,
        Step.PHONE,
        LISTED if found else UNKNOWN,
        guesser,
        [one.certificate.unit_id for one in found],
        guess=not found,
    )
    log.info("certificates_listed_by_phone", count=len(found), store_id=str(guesser.store_id))
    return found
