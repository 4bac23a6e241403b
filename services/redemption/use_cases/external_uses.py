"""Use of a third-party code at the merchant's own till, reported under the merchant's signature."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.codes import Codes
from services.redemption.domain.guessing import Guesser
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.domain.signing import is_signed
from services.redemption.domain.third_party import read_code
from services.redemption.store import certificates, copies, external_uses, issuers, redemptions, refusals
from services.redemption.store.external_uses import Report
from services.redemption.store.refusals import Step
from services.redemption.use_cases.redeem import use_certificates
from shared.database import Transaction
from shared.errors import DomainError, IdTaken
from shared.ids import derived_id
from shared.observability import log

EXTERNAL = "external"
"""The operator of such a use, and its device."""
EARLY = timedelta(minutes=5)
"""How far the clock of a till may be ahead."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it arrived, byte for byte, and what its headers say."""

    path: str
    body: bytes
    timestamp: str
    signature: str


@dataclass(frozen=True, slots=True)
class ReportedUse:
    """What the merchant's till says that it took. Its moment is kept, and decides nothing: what counts is when we
    heard of it, since until then the same code may be refunded."""

    merchant_id: UUID
    report_id: UUID
    code: str
    store_id: UUID
    used_at: datetime

    @property
    def redemption_id(self) -> UUID:
        """The id of the redemption that comes of it. A merchant's ids are its own, so ours are derived from both."""
        return derived_id(self.merchant_id, f"external use {self.report_id}")


async def require_signature(
    tx: Transaction, codes: Codes, merchant_id: UUID, signed: Signed, real_now: datetime
) -> None:
    """Raise BadSignature unless the merchant's system has signed this a moment ago."""
    issuer = await issuers.find(tx, merchant_id)
    # A merchant that has no secret is checked with one that nobody knows, so that it looks like a wrong signature.
    secret = codes.open(issuer.sealed_secret) if issuer else codes.digest("nobody", merchant_id.hex).hex()
    if not is_signed(secret, signed.path, signed.body, signed.timestamp, signed.signature, real_now) or issuer is None:
        log.warning("signature_refused", merchant_id=str(merchant_id))
        raise reasons.BadSignature


async def report_use(tx: Transaction, codes: Codes, use: ReportedUse) -> Redemption | DomainError:
    """Use the certificate of this code, or say why not; asked again, the first answer is given again.

    A refusal is returned, not raised, so that it is committed as the answer."""
    if use.used_at > tx.now + EARLY:
        raise reasons.UsedInTheFuture
    await external_uses.lock(tx, use.merchant_id, use.report_id)
    digest = codes.digest("external use", json.dumps([str(use.store_id), use.used_at.timestamp(), use.code]))
    earlier = await external_uses.find(tx, use.merchant_id, use.report_id)
    if earlier is not None:
        return await _first_answer(tx, use, earlier) if earlier.digest == digest else IdTaken()
    done = await _use(tx, codes, use)
    if isinstance(done, DomainError):
        await refusals.record(tx, Step.EXTERNAL, done.code, Guesser(EXTERNAL, use.store_id), (), use.redemption_id)
        log.info("external_use_refused", code=done.code, merchant_id=str(use.merchant_id))
        report = Report(digest, None, done.code, done.facts)
    else:
        report = Report(digest, done.attempt.redemption_id, None, None)
    await external_uses.add(tx, use.merchant_id, use.report_id, use.used_at, report)
    return done


async def _use(tx: Transaction, codes: Codes, use: ReportedUse) -> Redemption | DomainError:
    if await copies.store_of(tx, use.merchant_id, use.store_id) is None:
        return reasons.NotAStore()
    unit_id = await _find(tx, codes, use)
    order = None if unit_id is None else await certificates.order_of_unit(tx, unit_id)
    if unit_id is None or order is None:
        return reasons.CodeUnknown()
    attempt = Attempt(use.redemption_id, EXTERNAL, use.store_id, EXTERNAL, (unit_id,))
    return await use_certificates(tx, attempt, order, use.merchant_id)


async def _find(tx: Transaction, codes: Codes, use: ReportedUse) -> UUID | None:
    code = read_code(use.code)
    if code is None:
        return None
    return await certificates.unit_by_code(tx, [codes.lookup_for(use.merchant_id, code.same_as)], use.merchant_id)


async def _first_answer(tx: Transaction, use: ReportedUse, report: Report) -> Redemption | DomainError:
    if report.refusal_code is not None:
        return reasons.BY_CODE[report.refusal_code](**(report.refusal_facts or {}))
    done = await redemptions.find(tx, use.redemption_id)
    assert done is not None, "a report that was granted has its redemption"
    return done
