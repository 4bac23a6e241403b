"""Orders and their certificates."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.redemption.domain.certificates import FENCEABLE, Certificate, CertificateState, Order, PastUse
from shared.contracts.catalog import CodeSource
from shared.contracts.checkout import OrderPaid
from shared.contracts.use_rules import UseRules, UseWindow
from shared.database import Row, Transaction


async def lock_order(tx: Transaction, order_id: UUID) -> None:
    """Let one message about an order act at a time: a refund request and the order itself may arrive at the same
    instant, each before the other's rows can be seen. Verify does not wait here."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", str(order_id))


async def add_order(
    tx: Transaction,
    event: OrderPaid,
    window: UseWindow,
    codes_due_at: datetime | None,
    reminders: Sequence[datetime] = (),
) -> bool:
    """Keep what the certificates of a paid order share; `codes_due_at` if their codes come from a third party,
    `reminders` the moments at which the buyer is reminded, in their order. Returns False if it is here already."""
    added = await tx.execute(
        """insert into orders (order_id, order_no, buyer, merchant_id, deal_id, deal_version, title, store_ids,
             starts_at, until, blackout_dates, paid_at, rules, codes_due_at, code_source,
             phone_lookup, reminders, next_reminder_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
             $16, $17, ($17::timestamptz[])[1]) on conflict do nothing""",
        event.order_id,
        event.order_no,
        event.buyer,
        event.merchant_id,
        event.deal_id,
        event.deal_version,
        event.title,
        list(event.store_ids),
        window.starts_at,
        window.until,
        list(event.rules.blackout_dates),
        event.paid_at,
        event.rules.model_dump(mode="json"),
        codes_due_at,
        None if codes_due_at is None else (event.code_source or CodeSource.POOL).value,
        bytes.fromhex(event.phone_lookup) if event.phone_lookup else None,
        list(reminders),
    )
    return added == 1


async def add_certificate(
    tx: Transaction,
    order_id: UUID,
    unit_id: UUID,
    position: int,
    use_values_fen: Sequence[int],
    code_hash: bytes,
    sealed_code: str,
    imported_hash: bytes,
) -> bool:
    """Add a valid certificate. Returns False if another one has this code, or the merchant's pools do (in which its
    hash is another one)."""
    added = await tx.execute(
        """insert into certificates (unit_id, order_id, position, state, use_values_fen, uses_left, code_hash,
             sealed_code)
           select $1, $2, $3, 'VALID', $4, $5, $6, $7
           where not exists (select from pool_codes where code_hash = $8)
           on conflict (code_hash) do nothing""",
        unit_id,
        order_id,
        position,
        list(use_values_fen),
        len(use_values_fen),
        code_hash,
        sealed_code,
        imported_hash,
    )
    return added == 1


async def add_without_code(
    tx: Transaction, order_id: UUID, unit_id: UUID, position: int, use_values_fen: Sequence[int]
) -> None:
    """Add a certificate that waits for the code of a third party."""
    await tx.execute(
        """insert into certificates (unit_id, order_id, position, state, use_values_fen, uses_left)
           values ($1, $2, $3, 'ISSUING', $4, $5)""",
        unit_id,
        order_id,
        position,
        list(use_values_fen),
        len(use_values_fen),
    )


async def fail_overdue(tx: Transaction, order_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """ISSUING → ISSUE_FAILED for the certificates of these orders whose code is overdue. Returns unit and order ids."""
    rows = await tx.fetch(
        """with overdue as materialized (
             select c.unit_id from certificates c join orders o using (order_id)
             where o.order_id = any($1) and c.state = 'ISSUING' and o.codes_due_at <= $2
             order by c.unit_id for update of c)
           update certificates c set state = 'ISSUE_FAILED', changed_at = now()
           from overdue where c.unit_id = overdue.unit_id
           returning c.unit_id, c.order_id""",
        list(order_ids),
        tx.now,
    )
    return [(row["unit_id"], row["order_id"]) for row in rows]


async def order_of(tx: Transaction, order_id: UUID) -> Order | None:
    """What the certificates of an order share."""
    return _order(await tx.row("select * from orders where order_id = $1", order_id))


async def order_of_unit(tx: Transaction, unit_id: UUID) -> Order | None:
    """The order to which a certificate belongs."""
    return _order(
        await tx.row("select o.* from orders o join certificates using (order_id) where unit_id = $1", unit_id)
    )


async def unit_by_code(tx: Transaction, code_hashes: Sequence[bytes], merchant_id: UUID) -> UUID | None:
    """The certificate with this code (its hash as ours and as a third party's), if it is this merchant's."""
    unit_id: UUID | None = await tx.value(
        """select unit_id from certificates join orders using (order_id)
           where code_hash = any($1) and merchant_id = $2""",
        list(code_hashes),
        merchant_id,
    )
    return unit_id


async def certificates_of(tx: Transaction, order_id: UUID) -> list[Certificate]:
    """The certificates of an order as they were bought, each with its last use."""
    rows = await tx.fetch(
        """select c.*, last.used_at, last.store_name from certificates c
           left join lateral (
             select r.used_at, r.store_name from uses u join redemptions r using (redemption_id)
             where u.unit_id = c.unit_id and u.state <> 'REVERSED' order by r.used_at desc limit 1) last on true
           where c.order_id = $1 order by c.position""",
        order_id,
    )
    return [_certificate(row) for row in rows]


# The numbers of the uses that are left: those that were freed, and those that were never made.
_LEFT_NOS = """array(select use_no from generate_series(1, cardinality(c.use_values_fen)) as n (use_no)
    where use_no > cardinality(c.use_values_fen) - c.uses_left + cardinality(c.freed_nos) or use_no = any(c.freed_nos)
    order by 1) as left_nos"""


async def fence(
    tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]
) -> list[tuple[UUID, list[int]]] | None:
    """Take all of these certificates out of use for a refund, or none (then None). Returns the numbers of the uses that
    each has left.

    Rows are locked in the order of their ids, as verify locks them, so that the two never wait for each other."""
    rows = await tx.fetch(
        f"""with open as materialized (
             select unit_id from certificates
             where unit_id = any($3::uuid[]) and order_id = $2 and state = any($4)
             order by unit_id for update
           ), granted as (
             select from open having count(*) = cardinality($3::uuid[])
           )
           update certificates c
           set state_before = c.state, state = 'REFUNDING', refund_id = $1, changed_at = now()
           from open, granted where c.unit_id = open.unit_id
           returning c.unit_id, {_LEFT_NOS}""",
        refund_id,
        order_id,
        list(unit_ids),
        [state.value for state in FENCEABLE],
    )
    return sorted((row["unit_id"], row["left_nos"]) for row in rows) or None


async def fenced_by(tx: Transaction, refund_id: UUID) -> list[tuple[UUID, list[int]]]:
    """The certificates that a refund holds, with the numbers of the uses that each has left."""
    rows = await tx.fetch(
        f"select unit_id, {_LEFT_NOS} from certificates c where refund_id = $1 order by unit_id", refund_id
    )
    return [(row["unit_id"], row["left_nos"]) for row in rows]


async def close_fence(tx: Transaction, refund_id: UUID) -> int:
    """The money is back with the buyer: these certificates are over."""
    return await tx.execute(
        """update certificates set state = 'REFUNDED', state_before = null, changed_at = now()
           where refund_id = $1 and state = 'REFUNDING'""",
        refund_id,
    )


async def take_over(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> None:
    """Certificates that another refund has fenced are this one's: its money is back already."""
    await tx.execute(
        """update certificates set refund_id = $1, changed_at = now()
           where order_id = $2 and unit_id = any($3) and state = 'REFUNDING' and refund_id <> $1""",
        refund_id,
        order_id,
        list(unit_ids),
    )


async def lift_fence(tx: Transaction, refund_id: UUID, unit_ids: Sequence[UUID]) -> dict[UUID, CertificateState]:
    """The refund of these certificates was given up: they are again what they were. Returns each with its state."""
    rows = await tx.fetch(
        """update certificates set state = state_before, state_before = null, refund_id = null, changed_at = now()
           where refund_id = $1 and unit_id = any($2) and state = 'REFUNDING' returning unit_id, state""",
        refund_id,
        list(unit_ids),
    )
    return {row["unit_id"]: CertificateState(row["state"]) for row in rows}


def _order(row: Row | None) -> Order | None:
    return None if row is None else read_order(row)


def read_order(row: Row) -> Order:
    """An order as its row has it."""
    return Order(
        order_id=row["order_id"],
        merchant_id=row["merchant_id"],
        buyer=row["buyer"],
        title=row["title"],
        store_ids=frozenset(row["store_ids"]),
        window=UseWindow(starts_at=row["starts_at"], until=row["until"]),
        rules=UseRules.model_validate(row["rules"]),
        deal_id=row["deal_id"],
        codes_due_at=row["codes_due_at"],
        code_source=CodeSource(row["code_source"]) if row["code_source"] else None,
    )


def _certificate(row: Row) -> Certificate:
    return Certificate(
        unit_id=row["unit_id"],
        order_id=row["order_id"],
        state=CertificateState(row["state"]),
        uses_left=row["uses_left"],
        sealed_code=row["sealed_code"],
        last_use=None if row["used_at"] is None else PastUse(row["used_at"], row["store_name"]),
    )
