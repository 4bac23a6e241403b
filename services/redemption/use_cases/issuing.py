"""Codes that a merchant's own issuer makes: asked for between two transactions, taken back when nobody uses them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.codes import Codes
from services.redemption.domain.third_party import Issuer, read_code
from services.redemption.gateways.addresses import AddressRefused, check_url
from services.redemption.gateways.issuer import IssuerAccount, Outcome
from services.redemption.store import code_pools, issuers, recalls
from services.redemption.store.code_pools import Given
from services.redemption.use_cases.code_pools import say_issued
from services.redemption.world import RedemptionWorld
from shared.auth import require_staff
from shared.contracts.catalog import StaffRole
from shared.database import Database, Transaction
from shared.errors import NotFound
from shared.messaging import timers
from shared.messaging.timers import Due
from shared.observability import log

ASK_ISSUER = "ask_issuer"
VOID_AT_ISSUER = "void_at_issuer"
SLOWEST = timedelta(seconds=30)
"""Between two questions about one order, of which there are some twenty in ten minutes."""
SLOWEST_VOID = timedelta(hours=1)

Code = tuple[UUID, str]


async def set_issuer(
    tx: Transaction, codes: Codes, merchant_id: UUID, caller: str, url: str, secret: str, *, allow_loopback: bool
) -> Issuer:
    """The merchant's owner says where its codes come from. The secret can be written and never read."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    try:
        check_url(url, allow_loopback=allow_loopback)
    except AddressRefused as error:
        raise reasons.IssuerUrlRefused from error
    await issuers.keep(tx, merchant_id, url, codes.seal(secret), caller)
    kept = await issuers.find(tx, merchant_id)
    assert kept is not None, "kept in this transaction"
    return kept


async def issuer_of(tx: Transaction, merchant_id: UUID, caller: str) -> Issuer:
    """The merchant's issuer, for its owner."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    issuer = await issuers.find(tx, merchant_id)
    if issuer is None:
        raise NotFound
    return issuer


async def ask_later(tx: Transaction, order_id: UUID) -> None:
    """The issuer is to be asked for what this order waits for: the intent, committed before the call."""
    await issuers.open_requests(tx, order_id)
    await timers.schedule(tx, ASK_ISSUER, order_id, tx.now)


async def ask(due: Due, db: Database, world: RedemptionWorld) -> None:
    """Ask the issuer once. Whatever is missing afterwards, or unknown, is asked for again by the same unit ids until
    the time for codes is over."""
    order_id = UUID(due.key)
    async with db.transaction() as tx:
        # Taken away before the look: a timer that somebody sets after it then stays.
        await timers.cancel(tx, ASK_ISSUER, order_id)
        begun = await issuers.begin_asking(tx, order_id)
        if begun is None:
            return
        asked, attempts = begun
        await timers.schedule(tx, ASK_ISSUER, order_id, tx.now + SLOWEST)
        issuer = await issuers.find(tx, asked.merchant_id)
    codes: tuple[Code, ...] = ()
    if issuer is not None:
        answer = await world.issuer.issue(_account(world.codes, issuer), asked)
        codes = answer.codes
        if answer.outcome is not Outcome.OK:
            log.warning("issuer_gave_no_codes", outcome=answer.outcome.value, why=answer.why, order_id=str(order_id))
    async with db.transaction() as tx:
        await take_codes(tx, world.codes, asked.merchant_id, asked.deal_id, order_id, codes)
        await timers.schedule(tx, ASK_ISSUER, order_id, tx.now + _pause(attempts, SLOWEST))


async def codes_from_issuer(
    tx: Transaction, codes: Codes, merchant_id: UUID, order_id: UUID, given: Sequence[Code]
) -> frozenset[UUID]:
    """The issuer sends codes by itself. Returns the units that have theirs; the others' are not wanted any more, or
    are codes that the merchant has already."""
    deal_id = await issuers.order_asked_for(tx, merchant_id, order_id)
    if deal_id is None:
        raise NotFound
    return await take_codes(tx, codes, merchant_id, deal_id, order_id, given)


async def take_codes(
    tx: Transaction, codes: Codes, merchant_id: UUID, deal_id: UUID, order_id: UUID, given: Sequence[Code]
) -> frozenset[UUID]:
    """Give certificates that still wait the codes that were made for them; what came for others is taken back."""
    if not given:
        return frozenset()
    if any(code.looks_like_ours for _, text in given if (code := read_code(text))):
        # Nobody may draw such a code for a certificate until this can be seen.
        await recalls.lock_merchant(tx, merchant_id)
    waiting = await code_pools.waiting_of_order(tx, order_id)
    taken = [await _take(tx, codes, merchant_id, deal_id, one) for one in given if one[0] in waiting]
    new = [one for one in taken if one is not None]
    valid = await _make_valid(tx, new)
    await take_back(tx, await issuers.units_asked_for(tx, order_id, [unit_id for unit_id, _ in given]))
    return frozenset(one.unit_id for one in valid)


async def _take(
    tx: Transaction, codes: Codes, merchant_id: UUID, deal_id: UUID, given: Code
) -> tuple[UUID, bytes, str] | None:
    """The code, kept, or None if it is none or stands for something else already."""
    unit_id, text = given
    code = read_code(text)
    if code is None:
        log.warning("issuer_sent_no_code", unit_id=str(unit_id))
        return None
    code_hash, sealed = codes.lookup_for(merchant_id, code.same_as), codes.seal(code.text)
    is_ours = code.looks_like_ours and await code_pools.ours_among(tx, merchant_id, [codes.lookup(code.same_as)])
    if is_ours or not await code_pools.add_for_unit(tx, merchant_id, deal_id, unit_id, code_hash, sealed):
        log.warning("issuer_sent_a_code_twice", unit_id=str(unit_id))
        return None
    return unit_id, code_hash, sealed


async def _make_valid(tx: Transaction, taken: Sequence[tuple[UUID, bytes, str]]) -> list[Given]:
    if not taken:
        return []
    unit_ids, hashes, sealed = zip(*taken, strict=True)
    valid = await code_pools.make_valid(tx, unit_ids, hashes, sealed)
    await issuers.mark_issued(tx, unit_ids)
    await say_issued(tx, valid)
    return valid


async def take_back(tx: Transaction, unit_ids: Sequence[UUID]) -> None:
    """Those of these units whose certificate is over unused: the issuer is to void what it made for them."""
    for order_id in await issuers.mark_lost(tx, unit_ids):
        await timers.schedule(tx, VOID_AT_ISSUER, order_id, tx.now)


async def void(due: Due, db: Database, world: RedemptionWorld) -> None:
    """Have the issuer take back codes that nobody uses; asked again until it says that it did."""
    order_id = UUID(due.key)
    attempts = int(due.payload.get("attempts", 0))
    async with db.transaction() as tx:
        await timers.cancel(tx, VOID_AT_ISSUER, order_id)
        lost = await issuers.to_void(tx, order_id)
        issuer = await issuers.find(tx, lost[0]) if lost else None
        if lost is None or issuer is None:
            return
        pause = _pause(attempts, SLOWEST_VOID)
        await timers.schedule(tx, VOID_AT_ISSUER, order_id, tx.now + pause, {"attempts": attempts + 1})
    outcome = await world.issuer.void(_account(world.codes, issuer), order_id, lost[1])
    if outcome is not Outcome.OK:
        log.warning("issuer_did_not_void", outcome=outcome.value, order_id=str(order_id))
        return
    async with db.transaction() as tx:
        await issuers.mark_voided(tx, lost[1])
        await timers.cancel(tx, VOID_AT_ISSUER, order_id)
        if await issuers.to_void(tx, order_id) is not None:
            # Units that were lost while the issuer answered.
            await timers.schedule(tx, VOID_AT_ISSUER, order_id, tx.now)


def _pause(attempts: int, longest: timedelta) -> timedelta:
    return min(timedelta(seconds=2 ** min(attempts, 12)), longest)


def _account(codes: Codes, issuer: Issuer) -> IssuerAccount:
    return IssuerAccount(issuer.url, codes.open(issuer.sealed_secret))
