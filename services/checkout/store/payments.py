"""Payment attempts, and the incidents that an operator decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.checkout.domain.offers import Payee, payee
from services.checkout.domain.payments import Attempt, AttemptState, Channel, IncidentKind, Stray, Trade
from shared.contracts.catalog import Rail
from shared.database import Row, Transaction
from shared.ids import new_id

_COLUMNS = """attempt_id, order_id, channel, amount_fen, rail, sub_merchant_id, state, opened_at, expires_at, trade_no,
    captured_fen, asked, qr_code"""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something about a payment that only an operator may decide."""

    incident_id: UUID
    attempt_id: UUID
    order_id: UUID
    kind: IncidentKind
    amount_fen: int
    claimed_fen: int | None
    trade_no: str
    opened_at: datetime


async def find_payee(tx: Transaction, merchant_id: UUID) -> Payee | None:
    """Who takes a merchant's money now, or None while nobody may."""
    row = await tx.row(
        """select m.state, p.state as account_state, p.rail, p.sub_merchant_id
           from merchants m join payout_accounts p using (merchant_id) where merchant_id = $1""",
        merchant_id,
    )
    return payee(*row.values()) if row else None


async def add_attempt(tx: Transaction, attempt: Attempt) -> None:
    """Write a new attempt. The caller holds the order, and its other attempts are not live."""
    await tx.execute(
        f"""insert into payment_attempts ({_COLUMNS})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null, null, 0, null)""",
        attempt.attempt_id,
        attempt.order_id,
        attempt.channel.value,
        attempt.amount_fen,
        attempt.payee.rail.value,
        attempt.payee.sub_merchant_id,
        attempt.state.value,
        attempt.opened_at,
        attempt.expires_at,
    )


async def find_attempt(tx: Transaction, attempt_id: UUID) -> Attempt | None:
    """The attempt, if there is one."""
    row = await tx.row(f"select {_COLUMNS} from payment_attempts where attempt_id = $1", attempt_id)
    return _attempt(row) if row else None


async def paid_attempt(tx: Transaction, order_id: UUID) -> Attempt | None:
    """The attempt that paid the order: its refunds go back through it."""
    row = await tx.row(
        f"select {_COLUMNS} from payment_attempts where order_id = $1 and state = 'PAID' and stray is null", order_id
    )
    return _attempt(row) if row else None


async def live_attempt(tx: Transaction, order_id: UUID) -> Attempt | None:
    """The attempt by which the order may still be paid."""
    row = await tx.row(
        f"select {_COLUMNS} from payment_attempts where order_id = $1 and state in ('OPEN', 'CLOSING')", order_id
    )
    return _attempt(row) if row else None


async def start_closing(tx: Transaction, order_ids: Sequence[UUID]) -> list[UUID]:
    """OPEN → CLOSING for the live attempts of these orders; all that are to be closed at the channel now."""
    await tx.execute(
        """update payment_attempts set state = 'CLOSING', asked = 0, closing_since = clock_timestamp()
           where order_id = any($1) and state = 'OPEN'""",
        list(order_ids),
    )
    rows = await tx.fetch(
        "select attempt_id from payment_attempts where order_id = any($1) and state = 'CLOSING'", list(order_ids)
    )
    return [row["attempt_id"] for row in rows]


async def count_question(tx: Transaction, attempt_id: UUID) -> None:
    """The channel was asked once more."""
    await tx.execute("update payment_attempts set asked = asked + 1 where attempt_id = $1", attempt_id)


async def record_code(tx: Transaction, attempt_id: UUID, code: str) -> bool:
    """Keep the code to scan. The first one stays: another leads to the same trade, and the buyer sees this one."""
    return bool(
        await tx.execute(
            """update payment_attempts set qr_code = $2
               where attempt_id = $1 and state = 'OPEN' and qr_code is null""",
            attempt_id,
            code,
        )
    )


async def close_attempt(tx: Transaction, attempt_id: UUID) -> bool:
    """OPEN or CLOSING → CLOSED: the channel says that nothing was paid and nothing can be."""
    return bool(
        await tx.execute(
            "update payment_attempts set state = 'CLOSED' where attempt_id = $1 and state in ('OPEN', 'CLOSING')",
            attempt_id,
        )
    )


async def capture(tx: Transaction, attempt_id: UUID, trade: Trade, captured_at: datetime, stray: Stray | None) -> bool:
    """Record money once: a live attempt becomes PAID, a closed one stays closed. False if it was recorded before."""
    return bool(
        await tx.execute(
            """update payment_attempts
               set state = case when state = 'CLOSED' then state else 'PAID' end,
                   trade_no = $2, captured_fen = $3, captured_at = $4, stray = $5
               where attempt_id = $1 and captured_fen is null""",
            attempt_id,
            trade.trade_no,
            trade.total_fen,
            captured_at,
            stray.value if stray else None,
        )
    )


async def open_incident(
    tx: Transaction, attempt_id: UUID, kind: IncidentKind, trade: Trade, sealed_evidence: str | None
) -> bool:
    """Record what an operator must decide; False if the same is open already."""
    return bool(
        await tx.execute(
            """insert into payment_incidents
                 (incident_id, attempt_id, kind, claimed_fen, trade_no, sealed_evidence, opened_at)
               values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing""",
            new_id(),
            attempt_id,
            kind.value,
            trade.total_fen,
            trade.trade_no,
            sealed_evidence,
            tx.now,
        )
    )


async def has_open_incident(tx: Transaction, attempt_id: UUID) -> bool:
    """Whether an operator is to decide about this attempt."""
    return bool(
        await tx.value(
            "select exists (select from payment_incidents where attempt_id = $1 and resolved_at is null)", attempt_id
        )
    )


async def list_incidents(tx: Transaction, limit: int) -> list[Incident]:
    """Open incidents, oldest first."""
    rows = await tx.fetch(
        """select i.incident_id, i.attempt_id, a.order_id, i.kind, a.amount_fen, i.claimed_fen, i.trade_no, i.opened_at
           from payment_incidents i join payment_attempts a using (attempt_id)
           where i.resolved_at is null order by i.opened_at, i.incident_id limit $1""",
        limit,
    )
    return [Incident(**{**dict(row), "kind": IncidentKind(row["kind"])}) for row in rows]


async def resolve_incident(tx: Transaction, incident_id: UUID, operator: str, resolution: str) -> UUID | None:
    """Close an open incident; its attempt, or None if there is no such open incident."""
    attempt_id: UUID | None = await tx.value(
        """update payment_incidents set resolved_at = $2, resolved_by = $3, resolution = $4
           where incident_id = $1 and resolved_at is null returning attempt_id""",
        incident_id,
        tx.now,
        operator,
        resolution,
    )
    return attempt_id


def _attempt(row: Row) -> Attempt:
    fields = dict(row)
    fields["channel"] = Channel(fields["channel"])
    found = Payee(Rail(fields.pop("rail")), fields.pop("sub_merchant_id"))
    return Attempt(**{**fields, "state": AttemptState(fields["state"])}, payee=found)
