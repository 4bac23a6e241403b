"""Code pools: a merchant imports its codes, and certificates that wait get them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.codes import Codes
from services.redemption.domain.third_party import SHOWN_DUPLICATES, ThirdPartyCode, read_code, repeated
from services.redemption.store import code_pools, recalls
from services.redemption.store.code_pools import Given, Import, PoolState
from services.redemption.use_cases.expiry import expire_if_over
from shared.auth import require_staff
from shared.contracts.catalog import StaffRole
from shared.contracts.redemption import CertificatesIssued
from shared.database import Transaction
from shared.errors import IdTaken
from shared.messaging import outbox, timers
from shared.messaging.timers import Due
from shared.observability import log

HAND_OUT = "hand_out_codes"
TRY_AGAIN = "try_pool_again"
UNITS_AT_ONCE = 100
PAUSE = timedelta(milliseconds=20)
MOST_FREE = 200_000
"""Free codes that one deal may hold."""
_SUPPLIERS = (StaffRole.OWNER, StaffRole.MANAGER)


@dataclass(frozen=True, slots=True)
class Batch:
    """An import made ready outside of any transaction: sealing ten thousand codes takes a while."""

    merchant_id: UUID
    deal_id: UUID
    import_id: UUID
    digest: bytes
    by_hash: Mapping[bytes, ThirdPartyCode]
    sealed_codes: Sequence[str]
    ours: Mapping[bytes, ThirdPartyCode]


def make_batch(codes: Codes, merchant_id: UUID, deal_id: UUID, import_id: UUID, texts: Sequence[str]) -> Batch:
    """Read, hash and seal an import. Raises CodesMalformed, and CodesRepeated for what stands in it twice."""
    read = [read_code(text) for text in texts]
    given = [code for code in read if code is not None]
    if len(given) < len(read):
        wrong = [position for position, code in enumerate(read) if code is None]
        raise reasons.CodesMalformed(count=len(wrong), positions=wrong[:SHOWN_DUPLICATES])
    _refuse_repeated(repeated(given))
    return Batch(
        merchant_id,
        deal_id,
        import_id,
        codes.digest("import", "\n".join((deal_id.hex, *(code.text for code in given)))),
        {codes.lookup_for(merchant_id, code.same_as): code for code in given},
        [codes.seal(code.text) for code in given],
        {codes.lookup(code.same_as): code for code in given if code.looks_like_ours},
    )


async def import_codes(tx: Transaction, batch: Batch, caller: str) -> Import:
    """Take all codes of an import into the pool of a deal, or none; certificates that wait get theirs right after."""
    await require_staff(tx, caller, batch.merchant_id, *_SUPPLIERS)
    if batch.ours:
        # Nobody may draw one of these codes for a certificate until this import can be seen.
        await recalls.lock_merchant(tx, batch.merchant_id)
    if not await code_pools.add_import(
        tx, batch.merchant_id, batch.deal_id, batch.import_id, batch.digest, len(batch.by_hash), caller
    ):
        return await _imported_before(tx, batch)
    await _refuse_too_many(tx, batch)
    await _add(tx, batch)
    await timers.schedule(
        tx, HAND_OUT, batch.import_id, tx.now, {"merchant": str(batch.merchant_id), "deal": str(batch.deal_id)}
    )
    log.info("codes_imported", count=len(batch.by_hash), deal_id=str(batch.deal_id))
    done = await code_pools.find_import(tx, batch.merchant_id, batch.import_id)
    assert done is not None, "added in this transaction"
    return done


async def _imported_before(tx: Transaction, batch: Batch) -> Import:
    earlier = await code_pools.find_import(tx, batch.merchant_id, batch.import_id)
    if earlier is None or earlier.digest != batch.digest:
        raise IdTaken
    return earlier


async def _refuse_too_many(tx: Transaction, batch: Batch) -> None:
    if await code_pools.free_codes(tx, batch.merchant_id, batch.deal_id) + len(batch.by_hash) > MOST_FREE:
        raise reasons.PoolFull(limit=MOST_FREE)


async def _add(tx: Transaction, batch: Batch) -> None:
    added = await code_pools.add_codes(
        tx, batch.merchant_id, batch.deal_id, batch.import_id, list(batch.by_hash), batch.sealed_codes
    )
    ours = await code_pools.ours_among(tx, batch.merchant_id, list(batch.ours)) if batch.ours else frozenset()
    taken = [code.text for code_hash, code in batch.by_hash.items() if code_hash not in added]
    _refuse_repeated([*taken, *(batch.ours[code_hash].text for code_hash in ours)])


def _refuse_repeated(texts: Sequence[str]) -> None:
    if texts:
        raise reasons.CodesRepeated(count=len(texts), codes=list(texts[:SHOWN_DUPLICATES]))


async def pool_state(tx: Transaction, merchant_id: UUID, deal_id: UUID, caller: str) -> PoolState:
    """How many codes of a deal are free, allocated, used and void; for the merchant's owner, managers and finance."""
    await require_staff(tx, caller, merchant_id, *_SUPPLIERS, StaffRole.FINANCE)
    return await code_pools.state_of(tx, merchant_id, deal_id)


async def take_from_pool(tx: Transaction, order_id: UUID, merchant_id: UUID, deal_id: UUID) -> int:
    """Give the waiting certificates of an order what the pool has. Returns how many still wait."""
    waiting = await code_pools.waiting_of_order(tx, order_id)
    return len(waiting) - len(await _give(tx, merchant_id, deal_id, waiting))


async def hand_out(tx: Transaction, due: Sequence[Due]) -> None:
    """Codes were imported: those who wait get them, a batch at a time, with a turn for others in between."""
    for one in due:
        merchant_id, deal_id = UUID(one.payload["merchant"]), UUID(one.payload["deal"])
        waiting = await code_pools.waiting_of_deal(tx, merchant_id, deal_id, UNITS_AT_ONCE)
        if await _give(tx, merchant_id, deal_id, waiting):
            await timers.schedule(tx, HAND_OUT, one.key, tx.now + PAUSE, one.payload)


async def _give(tx: Transaction, merchant_id: UUID, deal_id: UUID, waiting: Sequence[UUID]) -> list[Given]:
    """Give free codes to certificates that the caller holds, to as many as there are codes for."""
    free = await code_pools.take_free(tx, merchant_id, deal_id, len(waiting)) if waiting else []
    if not free:
        return []
    unit_ids = list(waiting[: len(free)])
    hashes = [code_hash for code_hash, _ in free]
    await code_pools.allocate(tx, unit_ids, hashes)
    given = await code_pools.make_valid(tx, unit_ids, hashes, [sealed for _, sealed in free])
    await say_issued(tx, given)
    return given


async def say_issued(tx: Transaction, given: Sequence[Given]) -> None:
    """Tell checkout which certificates have their code; one whose time is over meanwhile expires at once."""
    by_order: dict[UUID, list[UUID]] = {}
    for one in given:
        by_order.setdefault(one.order_id, []).append(one.unit_id)
    await outbox.emit(
        tx,
        *(
            CertificatesIssued(occurred_at=tx.now, order_id=order_id, unit_ids=tuple(sorted(unit_ids)))
            for order_id, unit_ids in by_order.items()
        ),
    )
    if given:
        log.info("third_party_codes_given", count=len(given))
        await expire_if_over(tx, [one.unit_id for one in given])
