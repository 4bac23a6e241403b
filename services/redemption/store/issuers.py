"""Issuers of third-party codes: where they are, what was asked of them, and what they are to take back."""

from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain.third_party import Asked, Issuer
from shared.database import Transaction


async def keep(tx: Transaction, merchant_id: UUID, url: str, sealed_secret: str, changed_by: str) -> None:
    """Set, or replace, a merchant's issuer."""
    await tx.execute(
        """insert into code_issuers (merchant_id, url, sealed_secret, changed_by, changed_at)
           values ($1, $2, $3, $4, $5)
           on conflict (merchant_id) do update set url = excluded.url, sealed_secret = excluded.sealed_secret,
             changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
        merchant_id,
        url,
        sealed_secret,
        changed_by,
        tx.now,
    )


async def find(tx: Transaction, merchant_id: UUID) -> Issuer | None:
    """A merchant's issuer."""
    row = await tx.row(
        "select merchant_id, url, sealed_secret, changed_at from code_issuers where merchant_id = $1", merchant_id
    )
    return None if row is None else Issuer(**dict(row))


async def open_requests(tx: Transaction, order_id: UUID) -> None:
    """Every waiting certificate of an order is to be asked for."""
    await tx.execute(
        """insert into code_requests (unit_id, order_id, merchant_id)
           select c.unit_id, c.order_id, o.merchant_id from certificates c join orders o using (order_id)
           where c.order_id = $1 and c.state = 'ISSUING' order by c.unit_id
           on conflict do nothing""",
        order_id,
    )


async def begin_asking(tx: Transaction, order_id: UUID) -> tuple[Asked, int] | None:
    """Note that the issuer is about to be asked for what an order still waits for, and how often it was asked before.
    None if there is nothing to ask for any more."""
    rows = await tx.fetch(
        """update code_requests r set attempts = r.attempts + 1, changed_at = now()
           from certificates c, orders o
           where r.order_id = $1 and r.state = 'ASKING' and c.unit_id = r.unit_id and c.state = 'ISSUING'
             and o.order_id = r.order_id and o.codes_due_at > $2
           returning r.unit_id, r.attempts, o.merchant_id, o.order_id, o.deal_id, o.title, o.codes_due_at""",
        order_id,
        tx.now,
    )
    if not rows:
        return None
    first = rows[0]
    unit_ids = tuple(sorted(row["unit_id"] for row in rows))
    asked = Asked(
        first["merchant_id"], first["order_id"], first["deal_id"], first["title"], unit_ids, first["codes_due_at"]
    )
    return asked, max(row["attempts"] for row in rows) - 1


async def order_asked_for(tx: Transaction, merchant_id: UUID, order_id: UUID) -> UUID | None:
    """The deal of an order for which this merchant's issuer was to be asked."""
    deal_id: UUID | None = await tx.value(
        """select deal_id from orders o
           where order_id = $2 and merchant_id = $1
             and exists (select from code_requests r where r.order_id = o.order_id)""",
        merchant_id,
        order_id,
    )
    return deal_id


async def units_asked_for(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these units that are this order's: an issuer names units as it likes."""
    rows = await tx.fetch(
        "select unit_id from code_requests where order_id = $1 and unit_id = any($2)", order_id, list(unit_ids)
    )
    return [row["unit_id"] for row in rows]


async def mark_issued(tx: Transaction, unit_ids: Sequence[UUID]) -> None:
    """The codes of these units came and were taken."""
    await tx.execute(
        "update code_requests set state = 'ISSUED', changed_at = now() where unit_id = any($1) and state = 'ASKING'",
        list(unit_ids),
    )


async def mark_lost(tx: Transaction, unit_ids: Sequence[UUID]) -> list[UUID]:
    """These units will never be used with a code of the issuer: whatever it has made, or may have made, for those that
    it was asked for is to be taken back. Returns the orders of those."""
    rows = await tx.fetch(
        """update code_requests r
           set state = case when r.state = 'ASKING' and r.attempts = 0 then 'VOIDED' else 'VOIDING' end,
             changed_at = now()
           from certificates c
           where r.unit_id = any($1) and c.unit_id = r.unit_id and c.state in ('ISSUE_FAILED', 'REFUNDED')
             and r.state <> 'VOIDING'
           returning r.order_id, r.state""",
        list(unit_ids),
    )
    return sorted({row["order_id"] for row in rows if row["state"] == "VOIDING"})


async def to_void(tx: Transaction, order_id: UUID) -> tuple[UUID, list[UUID]] | None:
    """The merchant, and the units of an order whose codes its issuer is to take back."""
    rows = await tx.fetch(
        "select merchant_id, unit_id from code_requests where order_id = $1 and state = 'VOIDING' order by unit_id",
        order_id,
    )
    return (rows[0]["merchant_id"], [row["unit_id"] for row in rows]) if rows else None


async def mark_voided(tx: Transaction, unit_ids: Sequence[UUID]) -> None:
    """The issuer has taken these back."""
    await tx.execute(
        "update code_requests set state = 'VOIDED', changed_at = now() where unit_id = any($1) and state = 'VOIDING'",
        list(unit_ids),
    )
