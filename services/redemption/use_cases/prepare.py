"""Prepare: from what the customer shows to what can be used here, and a token for verify."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.certificates import REDEEMERS, Certificate, Order, Store, refusal_to_use
from services.redemption.domain.codes import Codes, Prepared, is_qr, normalised
from services.redemption.domain.guessing import Guesser
from services.redemption.domain.third_party import read_code
from services.redemption.store import certificates, copies, refusals
from services.redemption.store.refusals import Step
from shared.database import Transaction
from shared.errors import DomainError
from shared.observability import log


@dataclass(frozen=True, slots=True)
class Presented:
    """What the customer showed: a scanned text, or the digits that were typed."""

    text: str
    step: Step

    @classmethod
    def scanned(cls, text: str) -> "Presented":
        """A scan. The barcode, and the QR code of a third party's code, hold the bare code, which counts as typed
        wherever it was read."""
        return cls(text, Step.SCANNED if is_qr(text) else Step.TYPED)

    @classmethod
    def typed(cls, text: str) -> "Presented":
        """Digits from a keyboard."""
        return cls(text, Step.TYPED)


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate of the order, and why it cannot be used here (None: it can)."""

    certificate: Certificate
    refusal: DomainError | None


@dataclass(frozen=True, slots=True)
class Preparation:
    """The order's certificates at this store, and the token with which any of them may be verified: it opens nothing
    by itself, verify decides anew."""

    order: Order
    listed: tuple[Listed, ...]
    token: str
    token_expires_at: datetime


async def prepare(
    tx: Transaction, codes: Codes, guesser: Guesser, presented: Presented, real_now: datetime
) -> Preparation | DomainError:
    """What can be used here of the order to which the presented certificate belongs.

    A refusal is returned, not raised: it must be committed, because refusals are what guesses are counted by."""
    store = await copies.store_for(tx, guesser.operator, guesser.store_id, REDEEMERS)
    if store is None:
        return await _refused(tx, reasons.NotStaffOfStore(), guesser, presented)
    found = await _find(tx, codes, guesser, store, presented, real_now)
    if isinstance(found, DomainError):
        return await _refused(tx, found, guesser, presented)
    return await _list(tx, codes, guesser, store, presented, found, real_now)


async def _find(
    tx: Transaction, codes: Codes, guesser: Guesser, store: Store, presented: Presented, real_now: datetime
) -> UUID | DomainError:
    if presented.step is Step.TYPED:
        if (seconds := await refusals.locked_for(tx, guesser)) is not None:
            return reasons.TooManyAttempts(retry_after_s=seconds)
        return await _find_typed(tx, codes, store.merchant_id, presented.text) or reasons.CodeUnknown()
    try:
        return codes.read_qr(presented.text.strip(), real_now)
    except (reasons.CodeUnknown, reasons.QrExpired) as refusal:
        return refusal


async def _find_typed(tx: Transaction, codes: Codes, merchant_id: UUID, text: str) -> UUID | None:
    """The certificate that a code names, ours or a third party's. Every text takes the same way through the database,
    so that the time it takes says nothing about what was wrong with it."""
    ours, theirs = normalised(text) or "", read_code(text)
    hashes = [codes.lookup(ours), codes.lookup_for(merchant_id, theirs.same_as if theirs else "")]
    return await certificates.unit_by_code(tx, hashes, merchant_id)


async def _list(
    tx: Transaction,
    codes: Codes,
    guesser: Guesser,
    store: Store,
    presented: Presented,
    unit_id: UUID,
    real_now: datetime,
) -> Preparation | DomainError:
    order = await certificates.order_of_unit(tx, unit_id)
    if order is None:
        return await _refused(tx, reasons.CodeUnknown(), guesser, presented)
    if order.merchant_id != store.merchant_id:
        return await _refused(tx, reasons.OtherMerchant(), guesser, presented, unit_id)
    listed = tuple(
        Listed(certificate, refusal_to_use(certificate, order, store, tx.now))
        for certificate in await certificates.certificates_of(tx, order.order_id)
    )
    shown = next(one for one in listed if one.certificate.unit_id == unit_id)
    if shown.refusal is not None:
        await _refused(tx, shown.refusal, guesser, presented, unit_id)
    unit_ids = tuple(one.certificate.unit_id for one in listed)
    prepared = Prepared(guesser.operator, store.store_id, order.order_id, unit_ids)
    return Preparation(order, listed, *codes.preparation_token(prepared, real_now))


async def _refused(
    tx: Transaction, refusal: DomainError, guesser: Guesser, presented: Presented, *unit_ids: UUID
) -> DomainError:
    is_guess = presented.step is Step.TYPED and isinstance(refusal, reasons.CodeUnknown)
    await refusals.record(tx, presented.step, refusal.code, guesser, unit_ids, guess=is_guess)
    log.info("preparation_refused", code=refusal.code, step=presented.step.value, store_id=str(guesser.store_id))
    return refusal
