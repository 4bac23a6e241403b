"""Parcels in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.parcels import DispatchState, ParcelState, Stop
from shared.contracts.catalog import DeliveryMode
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Parcel:
    """One order's goods, on their way to one door."""

    parcel_id: UUID
    order_id: UUID
    order_no: str
    buyer: str
    merchant_id: UUID
    store_id: UUID
    title: str
    unit_ids: tuple[UUID, ...]
    mode: DeliveryMode
    value_fen: int
    weight_g: int
    category: str
    sealed_address: str
    sealed_receive_code: str
    code_tries: int
    code_locked_until: datetime | None
    state: ParcelState
    state_before: ParcelState | None
    refund_id: UUID | None
    dispatch_state: DispatchState
    stopping_for: Stop | None
    version: int
    placed_at: datetime
    accept_by: datetime
    hand_over_by: datetime
    carried_as: DeliveryMode | None
    delivered_at: datetime | None
    receive_by: datetime | None


COLUMNS = """parcel_id, order_id, order_no, buyer, merchant_id, store_id, title, unit_ids, mode, value_fen, weight_g,
  category, sealed_address, sealed_receive_code, code_tries, code_locked_until, state, state_before, refund_id,
  dispatch_state, stopping_for, version, placed_at, accept_by, hand_over_by, carried_as, delivered_at, receive_by"""


def parcel_of(row: Row) -> Parcel:
    return Parcel(
        parcel_id=row["parcel_id"],
        order_id=row["order_id"],
        order_no=row["order_no"],
        buyer=row["buyer"],
        merchant_id=row["merchant_id"],
        store_id=row["store_id"],
        title=row["title"],
        unit_ids=tuple(row["unit_ids"]),
        mode=DeliveryMode(row["mode"]),
        value_fen=row["value_fen"],
        weight_g=row["weight_g"],
        category=row["category"],
        sealed_address=row["sealed_address"],
        sealed_receive_code=row["sealed_receive_code"],
        code_tries=row["code_tries"],
        code_locked_until=row["code_locked_until"],
        state=ParcelState(row["state"]),
        state_before=ParcelState(row["state_before"]) if row["state_before"] else None,
        refund_id=row["refund_id"],
        dispatch_state=DispatchState(row["dispatch_state"]),
        stopping_for=Stop(row["stopping_for"]) if row["stopping_for"] else None,
        version=row["version"],
        placed_at=row["placed_at"],
        accept_by=row["accept_by"],
        hand_over_by=row["hand_over_by"],
        carried_as=DeliveryMode(row["carried_as"]) if row["carried_as"] else None,
        delivered_at=row["delivered_at"],
        receive_by=row["receive_by"],
    )


def parcel_or_none(row: Row | None) -> Parcel | None:
    return parcel_of(row) if row else None


@dataclass(frozen=True, slots=True)
class NewParcel:
    """What is known when an order is paid."""

    parcel_id: UUID
    order_id: UUID
    order_no: str
    buyer: str
    merchant_id: UUID
    store_id: UUID
    title: str
    unit_ids: Sequence[UUID]
    mode: DeliveryMode
    fee_fen: int
    value_fen: int
    weight_g: int
    category: str
    sealed_address: str
    sealed_receive_code: str
    placed_at: datetime
    accept_by: datetime
    hand_over_by: datetime


async def add_parcel(tx: Transaction, new: NewParcel) -> Parcel | None:
    """The new parcel; None if the order already has one."""
    return parcel_or_none(
        await tx.row(
            f"""insert into parcels (parcel_id, order_id, order_no, buyer, merchant_id, store_id, title, unit_ids, mode,
                  fee_fen, value_fen, weight_g, category, sealed_address, sealed_receive_code, placed_at, accept_by,
                  hand_over_by)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
                on conflict (order_id) do nothing returning {COLUMNS}""",
            new.parcel_id,
            new.order_id,
            new.order_no,
            new.buyer,
            new.merchant_id,
            new.store_id,
            new.title,
            list(new.unit_ids),
            new.mode.value,
            new.fee_fen,
            new.value_fen,
            new.weight_g,
            new.category,
            new.sealed_address,
            new.sealed_receive_code,
            new.placed_at,
            new.accept_by,
            new.hand_over_by,
        )
    )


async def hold_order(tx: Transaction, order_id: UUID) -> None:
    """Let nobody else open the order's parcel or decide its refunds until the transaction ends. Locks on rows cannot
    do this: a parcel and a refund request that arrive at once are both not there yet for the other."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1::text, 0))", str(order_id))


async def lock_parcel(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """The parcel, held until the transaction ends: everything about a parcel is decided under this lock."""
    return parcel_or_none(await tx.row(f"select {COLUMNS} from parcels where parcel_id = $1 for update", parcel_id))


async def lock_parcel_of_order(tx: Transaction, order_id: UUID) -> Parcel | None:
    """The order's parcel, held until the transaction ends."""
    return parcel_or_none(await tx.row(f"select {COLUMNS} from parcels where order_id = $1 for update", order_id))


async def find_parcel(tx: Transaction, parcel_id: UUID) -> Parcel | None:
    """The parcel as it is, without holding it."""
    return parcel_or_none(await tx.row(f"select {COLUMNS} from parcels where parcel_id = $1", parcel_id))


async def find_parcel_of_order(tx: Transaction, order_id: UUID) -> Parcel | None:
    """The order's parcel as it is, without holding it."""
    return parcel_or_none(await tx.row(f"select {COLUMNS} from parcels where order_id = $1", order_id))


async def list_board(
    tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID], state: str | None,
    before: tuple[datetime, UUID] | None, limit: int,
) -> list[Parcel]:  # fmt: skip
    """A merchant's parcels, newest first; only those of the stores named, unless none is."""
    rows = await tx.fetch(
        f"""select {COLUMNS} from parcels
            where merchant_id = $1 and (cardinality($2::uuid[]) = 0 or store_id = any($2))
              and ($3::text is null or state = $3 or ($3 = 'MANUAL' and dispatch_state = 'MANUAL'))
              and ($4::timestamptz is null or (placed_at, parcel_id) < ($4, $5))
            order by placed_at desc, parcel_id desc limit $6""",
        merchant_id,
        list(store_ids),
        state,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )
    return [parcel_of(row) for row in rows]


async def note_refund(tx: Transaction, parcel_id: UUID, refund_id: UUID) -> Parcel | None:
    """The refund by which the parcel will have ended."""
    return parcel_or_none(
        await tx.row(
            f"update parcels set refund_id = $2 where parcel_id = $1 returning {COLUMNS}", parcel_id, refund_id
        )
    )
