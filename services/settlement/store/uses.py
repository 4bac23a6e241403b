"""Orders and the uses in them: guarded changes of state, each one statement."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from services.settlement.domain.uses import MOVES, Fact, Use, UseState, Value
from shared.contracts.checkout import OrderPaid
from shared.database import Row, Transaction

_USE = """unit_id, use_no, order_id, merchant_id, state, paid_fen, merchant_fen, commission_fen, creator_fen,
    agency_fen, subsidy_fen, instruction_id, refund_id"""


def _read(row: Row) -> Use:
    return Use(
        unit_id=row["unit_id"],
        use_no=row["use_no"],
        order_id=row["order_id"],
        merchant_id=row["merchant_id"],
        state=UseState(row["state"]),
        value=Value(
            paid_fen=row["paid_fen"],
            merchant_fen=row["merchant_fen"],
            commission_fen=row["commission_fen"],
            creator_fen=row["creator_fen"],
            agency_fen=row["agency_fen"],
            subsidy_fen=row["subsidy_fen"],
        ),
        instruction_id=row["instruction_id"],
        refund_id=row["refund_id"],
    )


def _sources(fact: Fact) -> list[str]:
    return [state.value for state in MOVES[fact].sources]


async def add_order(tx: Transaction, order: OrderPaid) -> bool:
    """Keep what settlement needs of a paid order; False if it was here already."""
    return bool(
        await tx.execute(
            """insert into orders (order_id, order_no, merchant_id, deal_id, kind, title, rail, sub_merchant_id,
                 trade_no, out_trade_no, paid_fen, paid_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (order_id) do nothing""",
            order.order_id,
            order.order_no,
            order.merchant_id,
            order.deal_id,
            order.kind.value,
            order.title,
            order.rail.value,
            order.sub_merchant_id,
            order.trade_no,
            order.out_trade_no,
            order.paid_fen,
            order.paid_at,
        )
    )


async def add_uses(tx: Transaction, order_id: UUID, merchant_id: UUID, uses: Sequence[tuple[UUID, int, Value]]) -> None:
    """Hold every use of an order: (unit, use number from 1, value)."""
    values = [value for _, _, value in uses]
    await tx.execute(
        """insert into uses (unit_id, use_no, order_id, merchant_id, state, paid_fen, merchant_fen, commission_fen,
             creator_fen, agency_fen, subsidy_fen)
           select unit_id, use_no, $1, $2, 'HELD', paid, merchant, commission, creator, agency, subsidy
           from unnest($3::uuid[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
             $10::bigint[]) as fresh (unit_id, use_no, paid, merchant, commission, creator, agency, subsidy)""",
        order_id,
        merchant_id,
        [unit_id for unit_id, _, _ in uses],
        [use_no for _, use_no, _ in uses],
        [value.paid_fen for value in values],
        [value.merchant_fen for value in values],
        [value.commission_fen for value in values],
        [value.creator_fen for value in values],
        [value.agency_fen for value in values],
        [value.subsidy_fen for value in values],
    )


async def state_of(tx: Transaction, unit_id: UUID, use_no: int) -> tuple[UseState, int] | None:
    """Where a use is, and the version of the newest that was heard of it; None if its order has not arrived."""
    row = await tx.row("select state, heard from uses where unit_id = $1 and use_no = $2", unit_id, use_no)
    return None if row is None else (UseState(row["state"]), row["heard"])


async def mark_used(
    tx: Transaction,
    unit_id: UUID,
    use_no: int,
    use_id: UUID,
    store_id: UUID,
    used_at: datetime,
    used_on: date,
    due: date,
    version: int,
) -> bool:
    """HELD → USED, also USED → USED by a later use whose predecessor's reversal has not arrived; False if it is in
    another state, or something newer was heard."""
    return bool(
        await tx.execute(
            """update uses set state = $8, use_id = $3, store_id = $4, used_at = $5, used_on = $6, due_on = $7,
                 heard = $10, changed_at = now()
               where unit_id = $1 and use_no = $2 and state = any($9) and heard < $10""",
            unit_id,
            use_no,
            use_id,
            store_id,
            used_at,
            used_on,
            due,
            MOVES[Fact.USED].target.value,
            _sources(Fact.USED),
            version,
        )
    )


async def mark_reversed(tx: Transaction, unit_id: UUID, use_no: int, version: int) -> bool:
    """USED → HELD, or held on, so that the use is not made by its report when that comes late; False if it is in
    another state, or something newer was heard."""
    return bool(
        await tx.execute(
            """update uses set state = $4, use_id = null, store_id = null, used_at = null, used_on = null,
                 due_on = null, heard = $3, changed_at = now()
               where unit_id = $1 and use_no = $2 and state = any($5) and heard < $3""",
            unit_id,
            use_no,
            version,
            MOVES[Fact.REVERSED].target.value,
            _sources(Fact.REVERSED),
        )
    )


async def mark_final(tx: Transaction, unit_id: UUID, use_no: int, use_id: UUID) -> Use | None:
    """USED → FINAL for exactly this use; None if it was not used, or by another redemption."""
    row = await tx.row(
        f"""update uses set state = $4, changed_at = now()
            where unit_id = $1 and use_no = $2 and use_id = $3 and state = any($5) returning {_USE}""",
        unit_id,
        use_no,
        use_id,
        MOVES[Fact.FINAL].target.value,
        _sources(Fact.FINAL),
    )
    return None if row is None else _read(row)


async def mark_received(
    tx: Transaction, unit_ids: Sequence[UUID], store_id: UUID, received_at: datetime, received_on: date, due: date
) -> list[Use]:
    """HELD → FINAL for every unit of a parcel that is still held."""
    rows = await tx.fetch(
        f"""update uses set state = $6, store_id = $2, used_at = $3, used_on = $4, due_on = $5, changed_at = now()
            where unit_id = any($1) and state = any($7) returning {_USE}""",
        list(unit_ids),
        store_id,
        received_at,
        received_on,
        due,
        MOVES[Fact.RECEIVED].target.value,
        _sources(Fact.RECEIVED),
    )
    return [_read(row) for row in rows]


async def lock_units(tx: Transaction, unit_ids: Sequence[UUID]) -> list[Use]:
    """The uses of these units, locked until the end of the transaction."""
    rows = await tx.fetch(
        f"select {_USE} from uses where unit_id = any($1) order by unit_id, use_no for update", list(unit_ids)
    )
    return [_read(row) for row in rows]


async def mark_refunded(tx: Transaction, use: Use, refund_id: UUID, refunded_at: datetime, *, committed: bool) -> None:
    """Any state → REFUNDED for a locked use; a committed one stays in its instruction, and its merchant owes it."""
    await tx.execute(
        """update uses set state = 'REFUNDED', refund_id = $3, refunded_at = $4, changed_at = now(),
             owed_fen = case when $5 then merchant_fen else 0 end, disputed_by = null,
             instruction_id = case when $5 then instruction_id end, fee_fen = case when $5 then fee_fen end
           where unit_id = $1 and use_no = $2 and state <> 'REFUNDED'""",
        use.unit_id,
        use.use_no,
        refund_id,
        refunded_at,
        committed,
    )
