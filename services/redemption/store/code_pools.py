"""Pools of third-party codes: what was imported, what is free, and which certificate has which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Import:
    """An import that was taken."""

    deal_id: UUID
    digest: bytes
    codes: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class PoolState:
    """How many codes of a deal are in which state, and how many certificates wait for one."""

    free: int
    allocated: int
    used: int
    void: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Given:
    """A certificate that has its code."""

    unit_id: UUID
    order_id: UUID


async def add_import(
    tx: Transaction, merchant_id: UUID, deal_id: UUID, import_id: UUID, digest: bytes, codes: int, imported_by: str
) -> bool:
    """Keep that there was this import. Returns False if there was one with this id; a second at the same moment waits
    for the first to end."""
    added = await tx.execute(
        """insert into code_imports (merchant_id, import_id, deal_id, digest, codes, imported_by, imported_at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing""",
        merchant_id,
        import_id,
        deal_id,
        digest,
        codes,
        imported_by,
        tx.now,
    )
    return added == 1


async def find_import(tx: Transaction, merchant_id: UUID, import_id: UUID) -> Import | None:
    """An import of this merchant."""
    row = await tx.row(
        """select deal_id, digest, codes, imported_at from code_imports
           where merchant_id = $1 and import_id = $2""",
        merchant_id,
        import_id,
    )
    return None if row is None else Import(**dict(row))


async def add_codes(
    tx: Transaction,
    merchant_id: UUID,
    deal_id: UUID,
    import_id: UUID,
    hashes: Sequence[bytes],
    sealed_codes: Sequence[str],
) -> frozenset[bytes]:
    """Put codes into the pool, in this order. Returns the hashes of those that were not there before; what another
    import is about to add is waited for."""
    rows = await tx.fetch(
        """insert into pool_codes (code_hash, merchant_id, deal_id, import_id, sealed_code)
           select code_hash, $1, $2, $3, sealed_code
           from unnest($4::bytea[], $5::text[]) with ordinality as given (code_hash, sealed_code, position)
           order by position on conflict (code_hash) do nothing returning code_hash""",
        merchant_id,
        deal_id,
        import_id,
        list(hashes),
        list(sealed_codes),
    )
    return frozenset(row["code_hash"] for row in rows)


async def ours_among(tx: Transaction, merchant_id: UUID, hashes: Sequence[bytes]) -> frozenset[bytes]:
    """Which of these are hashes of codes that we drew for certificates of this merchant."""
    rows = await tx.fetch(
        """select c.code_hash from certificates c join orders o using (order_id)
           where c.code_hash = any($2) and o.merchant_id = $1""",
        merchant_id,
        list(hashes),
    )
    return frozenset(row["code_hash"] for row in rows)


async def free_codes(tx: Transaction, merchant_id: UUID, deal_id: UUID) -> int:
    """How many codes of a deal nobody has."""
    free: int = await tx.value(
        "select count(*) from pool_codes where merchant_id = $1 and deal_id = $2 and unit_id is null",
        merchant_id,
        deal_id,
    )
    return free


async def state_of(tx: Transaction, merchant_id: UUID, deal_id: UUID) -> PoolState:
    """The pool of a deal. A code is used when its certificate has no use left, and void when its money went back."""
    row = await tx.row(
        """select count(*) filter (where p.unit_id is null) as free,
                  count(*) filter (where c.state not in ('USED', 'SETTLED', 'DISPUTED', 'REFUNDED')) as allocated,
                  count(*) filter (where c.state in ('USED', 'SETTLED', 'DISPUTED')) as used,
                  count(*) filter (where c.state = 'REFUNDED') as void,
                  (select count(*) from certificates w join orders o using (order_id)
                   where w.state = 'ISSUING' and o.merchant_id = $1 and o.deal_id = $2) as waiting
           from pool_codes p left join certificates c using (unit_id)
           where p.merchant_id = $1 and p.deal_id = $2""",
        merchant_id,
        deal_id,
    )
    assert row is not None, "an aggregate has a row"
    return PoolState(**dict(row))


async def waiting_of_order(tx: Transaction, order_id: UUID) -> list[UUID]:
    """The certificates of an order whose code may still come, held in the order of their ids."""
    rows = await tx.fetch(
        """select c.unit_id from certificates c join orders o using (order_id)
           where c.order_id = $1 and c.state = 'ISSUING' and o.codes_due_at > $2
           order by c.unit_id for update of c""",
        order_id,
        tx.now,
    )
    return [row["unit_id"] for row in rows]


async def hold_waiting(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Hold what these orders wait for, in the order of the units' ids, as everybody else holds certificates."""
    await tx.execute(
        """select from certificates where order_id = any($1) and state = 'ISSUING'
           order by unit_id for update""",
        list(order_ids),
    )


async def waiting_of_deal(tx: Transaction, merchant_id: UUID, deal_id: UUID, limit: int) -> list[UUID]:
    """Certificates of a deal that wait for a code, the first buyers first; those that somebody else holds are left
    to him."""
    rows = await tx.fetch(
        """select c.unit_id from certificates c join orders o using (order_id)
           where c.state = 'ISSUING' and o.merchant_id = $1 and o.deal_id = $2 and o.code_source = 'POOL'
             and o.codes_due_at > $4
           order by o.paid_at, c.unit_id limit $3 for update of c skip locked""",
        merchant_id,
        deal_id,
        limit,
        tx.now,
    )
    return [row["unit_id"] for row in rows]


async def take_free(tx: Transaction, merchant_id: UUID, deal_id: UUID, limit: int) -> list[tuple[bytes, str]]:
    """Free codes of a deal, hash and sealed text, oldest first; those that another order is taking are passed over, so
    that no order waits for another."""
    rows = await tx.fetch(
        """select code_hash, sealed_code from pool_codes
           where merchant_id = $1 and deal_id = $2 and unit_id is null
           order by code_no limit $3 for update skip locked""",
        merchant_id,
        deal_id,
        limit,
    )
    return [(row["code_hash"], row["sealed_code"]) for row in rows]


async def allocate(tx: Transaction, unit_ids: Sequence[UUID], hashes: Sequence[bytes]) -> None:
    """These codes, which the caller holds, belong to these certificates, for ever."""
    await tx.execute(
        """update pool_codes p set unit_id = given.unit_id
           from unnest($1::uuid[], $2::bytea[]) as given (unit_id, code_hash)
           where p.code_hash = given.code_hash and p.unit_id is null""",
        list(unit_ids),
        list(hashes),
    )


async def add_for_unit(
    tx: Transaction, merchant_id: UUID, deal_id: UUID, unit_id: UUID, code_hash: bytes, sealed_code: str
) -> bool:
    """Keep a code that an issuer made for one certificate. Returns False if the merchant has this code already."""
    added = await tx.execute(
        """insert into pool_codes (code_hash, merchant_id, deal_id, unit_id, sealed_code)
           values ($1, $2, $3, $4, $5) on conflict do nothing""",
        code_hash,
        merchant_id,
        deal_id,
        unit_id,
        sealed_code,
    )
    return added == 1


async def make_valid(
    tx: Transaction, unit_ids: Sequence[UUID], hashes: Sequence[bytes], sealed_codes: Sequence[str]
) -> list[Given]:
    """ISSUING → VALID for certificates that now have a code."""
    rows = await tx.fetch(
        """update certificates c
           set state = 'VALID', code_hash = given.code_hash, sealed_code = given.sealed_code, changed_at = now()
           from unnest($1::uuid[], $2::bytea[], $3::text[]) as given (unit_id, code_hash, sealed_code)
           where c.unit_id = given.unit_id and c.state = 'ISSUING' returning c.unit_id, c.order_id""",
        list(unit_ids),
        list(hashes),
        list(sealed_codes),
    )
    return [Given(**dict(row)) for row in rows]
