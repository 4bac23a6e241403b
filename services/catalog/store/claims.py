"""Claims to stores in the database."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.catalog.domain.claims import Appeal, Claim, ClaimState, Waiting
from services.catalog.domain.stores import Store
from services.catalog.store.stores import STORE_COLUMNS, store_of
from shared.database import Row, Transaction

# Named so that a row may have a store's columns as well.
CLAIM_COLUMNS = """c.claim_id, c.store_id as claimed_store, c.merchant_id as claimant, c.version as claim_version,
c.licence_evidence, c.state, c.reason, c.appeal_text, c.appeal_evidence, c.claimed_at,
(select m.name from merchants m where m.merchant_id = c.merchant_id) as merchant_name"""
_LIVE = "c.state in ('CLAIMED', 'APPEALED', 'APPROVED')"


def claim_in(row: Row) -> Claim:
    """The claim in a row that has CLAIM_COLUMNS."""
    return Claim(
        claim_id=row["claim_id"],
        store_id=row["claimed_store"],
        merchant_id=row["claimant"],
        merchant_name=row["merchant_name"],
        version=row["claim_version"],
        licence_evidence=row["licence_evidence"],
        state=ClaimState(row["state"]),
        reason=row["reason"],
        appeal=Appeal(row["appeal_text"], row["appeal_evidence"]) if row["appeal_text"] else None,
        claimed_at=row["claimed_at"],
    )


def _one(row: Row | None) -> Claim | None:
    return claim_in(row) if row else None


async def add_claim(tx: Transaction, claim_id: UUID, store_id: UUID, merchant_id: UUID, evidence: str) -> Claim | None:
    """A claim that waits for the operator, or None when the id is in use."""
    return _one(
        await tx.row(
            f"""insert into store_claims as c (claim_id, store_id, merchant_id, version, licence_evidence, state,
                    claimed_at, waiting_since)
                values ($1, $2, $3, 1, $4, 'CLAIMED', $5, $5)
                on conflict (claim_id) do nothing returning {CLAIM_COLUMNS}""",
            claim_id,
            store_id,
            merchant_id,
            evidence,
            tx.now,
        )
    )


async def claim(tx: Transaction, claim_id: UUID) -> Claim | None:
    """One claim."""
    return _one(await tx.row(f"select {CLAIM_COLUMNS} from store_claims c where claim_id = $1", claim_id))


async def claim_of(tx: Transaction, store_id: UUID, merchant_id: UUID) -> Claim | None:
    """What a merchant's claim to a store is: the one that waits or holds, else the newest."""
    return _one(
        await tx.row(
            f"""select {CLAIM_COLUMNS} from store_claims c where store_id = $1 and merchant_id = $2
                order by ({_LIVE}) desc, number desc limit 1""",
            store_id,
            merchant_id,
        )
    )


async def count_waiting(tx: Transaction, store_id: UUID, merchant_id: UUID) -> Waiting:
    """How many claims wait on a store and of a merchant; the caller has locked both."""
    row = await tx.row(
        """select count(*) filter (where store_id = $1) as on_store, count(*) filter (where merchant_id = $2) as own
           from store_claims where state in ('CLAIMED', 'APPEALED') and (store_id = $1 or merchant_id = $2)""",
        store_id,
        merchant_id,
    )
    assert row is not None
    return Waiting(on_store=row["on_store"], of_merchant=row["own"])


async def decide_claim(
    tx: Transaction, claim_id: UUID, state: ClaimState, reason: str | None, operator: str, version: int
) -> Claim | None:
    """The operator's decision on a waiting claim, or None when this version of it does not wait (any more)."""
    return _one(
        await tx.row(
            f"""update store_claims c set version = version + 1, state = $2, reason = $3, decided_by = $4,
                    decided_at = $5
                where claim_id = $1 and state in ('CLAIMED', 'APPEALED') and version = $6 returning {CLAIM_COLUMNS}""",
            claim_id,
            state.value,
            reason,
            operator,
            tx.now,
            version,
        )
    )


async def reject_others(tx: Transaction, winner: Claim, reason: str, operator: str) -> None:
    """Nobody else waits for a store that was just awarded."""
    await tx.execute(
        """update store_claims set version = version + 1, state = 'REJECTED', reason = $3, decided_by = $4,
               decided_at = $5
           where store_id = $1 and claim_id <> $2 and state in ('CLAIMED', 'APPEALED')""",
        winner.store_id,
        winner.claim_id,
        reason,
        operator,
        tx.now,
    )


async def end_holding(tx: Transaction, store_id: UUID, state: ClaimState, reason: str, by: str) -> Claim | None:
    """The holder's claim ends as RELEASED or LOST; None when nobody holds the store."""
    return _one(
        await tx.row(
            f"""update store_claims c set version = version + 1, state = $2, reason = $3, decided_by = $4,
                    decided_at = $5
                where store_id = $1 and state = 'APPROVED' returning {CLAIM_COLUMNS}""",
            store_id,
            state.value,
            reason,
            by,
            tx.now,
        )
    )


async def appeal(tx: Transaction, claim_id: UUID, said: Appeal) -> Claim | None:
    """A refused or lost claim waits again, once; None when it cannot."""
    return _one(
        await tx.row(
            f"""update store_claims c set version = version + 1, state = 'APPEALED', appeal_text = $2,
                    appeal_evidence = $3, waiting_since = $4
                where claim_id = $1 and state in ('REJECTED', 'LOST') and appeal_text is null
                returning {CLAIM_COLUMNS}""",
            claim_id,
            said.text,
            said.evidence,
            tx.now,
        )
    )


async def claims_on(
    tx: Transaction, store_id: UUID, subject: str | None, after: int | None, limit: int
) -> Sequence[tuple[int, Claim]]:
    """Claims to a store, newest first; with a subject only those of merchants that this person owns or manages."""
    rows = await tx.fetch(
        f"""select {CLAIM_COLUMNS}, c.number from store_claims c
            where store_id = $1 and ($3::bigint is null or number < $3)
              and ($2::text is null or exists (select from staff w where w.subject = $2 and w.active
                   and w.merchant_id = c.merchant_id and w.role in ('OWNER', 'MANAGER')))
            order by number desc limit $4""",
        store_id,
        subject,
        after,
        limit,
    )
    return [(row["number"], claim_in(row)) for row in rows]


async def stores_of_merchant(
    tx: Transaction, merchant_id: UUID, after: UUID | None, limit: int
) -> list[tuple[Store, Claim]]:
    """The stores that a merchant holds, held or asked for, each with what its claim is now."""
    rows = await tx.fetch(
        f"""select distinct on (c.store_id) {STORE_COLUMNS}, {CLAIM_COLUMNS}
            from store_claims c join stores s using (store_id)
            where c.merchant_id = $1 and ($2::uuid is null or c.store_id > $2)
            order by c.store_id, ({_LIVE}) desc, c.number desc limit $3""",
        merchant_id,
        after,
        limit,
    )
    return [(store_of(row), claim_in(row)) for row in rows]


async def live_claims_on(tx: Transaction, store_ids: Collection[UUID]) -> Sequence[Claim]:
    """Every claim to these stores that waits or holds, oldest first (at most 21 of each store)."""
    rows = await tx.fetch(
        f"""select {CLAIM_COLUMNS} from store_claims c where store_id = any($1::uuid[]) and {_LIVE} order by number""",
        list(store_ids),
    )
    return [claim_in(row) for row in rows]
