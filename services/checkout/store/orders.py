"""Orders, their units and their timeline."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.checkout.domain.offers import form_of
from services.checkout.domain.orders import Order, OrderDelivery, OrderState, OrderUnit, UnitState
from services.checkout.domain.timeline import Entry, What
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealKind, DeliveryMode, RefundPolicy
from shared.contracts.checkout import UseValue
from shared.contracts.use_rules import UseRules
from shared.database import Row, Transaction

_PLAIN = (
    "order_id", "order_no", "buyer", "merchant_id", "deal_id", "deal_version", "title", "cover", "quantity",
    "unit_price_fen", "total_fen", "refunded_fen", "source", "request_digest", "placed_at", "expires_at", "paid_at",
    "closed_at", "parcel_state", "sealed_phone", "phone_lookup",
)  # fmt: skip
_DELIVERY = ("sealed_address", "masked_phone", "masked_address", "weight_g", "category")
_FROZEN = ("kind", "form", "rules", "cash", "code_source", "refund_policy", "store_ids")
COLUMNS = ", ".join((*_PLAIN, *_DELIVERY, *_FROZEN, "state", "delivery_mode", "delivery_fee_fen"))

# How many uses are left of a unit: a use that was told before their numbers were kept left only its moment.
USES_LEFT = "jsonb_array_length(uses) - greatest(cardinality(used_nos), (used_at is not null)::int)"

# What each filter of the buyer's list adds to the question.
_FILTERS = {
    "all": "true",
    "to_pay": "state = 'PLACED'",
    "to_use": """kind = 'VOUCHER' and state in ('PAID', 'FULFILLING')
                 and exists (select from units u where u.order_id = o.order_id and u.state = 'OPEN')""",
    "delivering": "kind = 'GOODS' and state in ('PAID', 'FULFILLING')",
    "refund": "exists (select from refunds r where r.order_id = o.order_id and r.cause not like '%\\_CAPTURE')",
}


async def add_order(tx: Transaction, order: Order, units: Sequence[OrderUnit]) -> bool:
    """Write a new order with its units; False if the id is taken."""
    delivery = order.delivery
    added = await tx.value(
        """with placed as (
             insert into orders (order_id, order_no, state, buyer, merchant_id, deal_id, deal_version, kind, title,
               cover, quantity, unit_price_fen, total_fen, rules, store_ids, source, request_digest, placed_at,
               expires_at, delivery_mode, delivery_fee_fen, weight_g, category, sealed_address, masked_phone,
               masked_address, form, cash, code_source, refund_policy, sealed_phone, phone_lookup)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
               $22, $23, $24, $25, $26, $32, $33, $34, $35, $36, $37)
             on conflict (order_id) do nothing returning order_id),
           minted as (
             insert into units (unit_id, order_id, position, paid_fen, original_price_fen, uses)
             select u.unit_id, placed.order_id, u.position, u.paid_fen, u.original_price_fen, $31::jsonb -> u.position
             from placed, unnest($27::uuid[], $28::int[], $29::bigint[], $30::bigint[])
               as u (unit_id, position, paid_fen, original_price_fen))
           select true from placed""",
        order.order_id,
        order.order_no,
        order.state.value,
        order.buyer,
        order.merchant_id,
        order.deal_id,
        order.deal_version,
        order.kind.value,
        order.title,
        order.cover,
        order.quantity,
        order.unit_price_fen,
        order.total_fen,
        order.rules.model_dump(mode="json"),
        list(order.store_ids),
        order.source,
        order.request_digest,
        order.placed_at,
        order.expires_at,
        delivery.mode.value if delivery else None,
        delivery.fee_fen if delivery else 0,
        delivery.weight_g if delivery else None,
        delivery.category if delivery else None,
        delivery.sealed_address if delivery else None,
        delivery.masked_phone if delivery else None,
        delivery.masked_address if delivery else None,
        [unit.unit_id for unit in units],
        [unit.position for unit in units],
        [unit.paid_fen for unit in units],
        [unit.original_price_fen for unit in units],
        # One document, not an array of them: a list of lists would reach Postgres as an array of two dimensions.
        [[use.model_dump() for use in unit.uses] for unit in units],
        order.form.value,
        order.cash.model_dump(mode="json") if order.cash else None,
        order.code_source,
        order.refund_policy.value,
        order.sealed_phone,
        order.phone_lookup,
    )
    return bool(added)


async def find_order(tx: Transaction, order_id: UUID) -> Order | None:
    """The order, if there is one."""
    row = await tx.row(f"select {COLUMNS} from orders where order_id = $1", order_id)
    return read_order(row) if row else None


async def find_orders(tx: Transaction, order_ids: Iterable[UUID]) -> dict[UUID, Order]:
    """Those of these orders that exist."""
    rows = await tx.fetch(f"select {COLUMNS} from orders where order_id = any($1)", list(order_ids))
    return {row["order_id"]: read_order(row) for row in rows}


async def lock_order(tx: Transaction, order_id: UUID) -> Order | None:
    """The order, held until the transaction ends: whatever changes an order's parts holds it first."""
    row = await tx.row(f"select {COLUMNS} from orders where order_id = $1 for update", order_id)
    return read_order(row) if row else None


async def lock_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Order]:
    """These orders, held until the transaction ends; in id order, as whoever holds several does."""
    rows = await tx.fetch(
        f"select {COLUMNS} from orders where order_id = any($1) order by order_id for update", list(order_ids)
    )
    return [read_order(row) for row in rows]


async def lock_expired(tx: Transaction, order_ids: Sequence[UUID]) -> list[UUID]:
    """Hold those of these orders that are unpaid past their time, in id order."""
    rows = await tx.fetch(
        """select order_id from orders where order_id = any($1) and state = 'PLACED' and expires_at <= $2
           order by order_id for update""",
        list(order_ids),
        tx.now,
    )
    return [row["order_id"] for row in rows]


async def list_of_buyer(
    tx: Transaction, buyer: str, only: str, before: tuple[datetime, UUID] | None, limit: int
) -> list[Order]:
    """A buyer's orders, newest first, from after the one named by `before`."""
    placed_at, order_id = before or (None, None)
    rows = await tx.fetch(
        f"""select {COLUMNS} from orders o
            where buyer = $1 and ($2::timestamptz is null or (placed_at, order_id) < ($2, $3)) and {_FILTERS[only]}
            order by placed_at desc, order_id desc limit $4""",
        buyer,
        placed_at,
        order_id,
        limit,
    )
    return [read_order(row) for row in rows]


async def units_of(tx: Transaction, order_ids: Sequence[UUID]) -> dict[UUID, list[OrderUnit]]:
    """The units of each of these orders, in position."""
    rows = await tx.fetch(
        f"""select order_id, unit_id, position, state, paid_fen, original_price_fen, uses, {USES_LEFT} as uses_left,
              used_nos
            from units where order_id = any($1) order by order_id, position""",
        list(order_ids),
    )
    units: dict[UUID, list[OrderUnit]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        units[row["order_id"]].append(_unit(row))
    return units


async def mark_paid(tx: Transaction, order_id: UUID, paid_at: datetime) -> bool:
    """PLACED → PAID; False if the order is in any other state."""
    return bool(
        await tx.execute(
            "update orders set state = 'PAID', paid_at = $2 where order_id = $1 and state = 'PLACED'", order_id, paid_at
        )
    )


async def mark_fulfilling(tx: Transaction, order_id: UUID) -> None:
    """PAID → FULFILLING; nothing happens in a later state."""
    await tx.execute("update orders set state = 'FULFILLING' where order_id = $1 and state = 'PAID'", order_id)


async def complete_if_done(tx: Transaction, order_id: UUID) -> bool:
    """PAID or FULFILLING → COMPLETED once every unit is final or refunded. The caller holds the order."""
    return bool(
        await tx.execute(
            """update orders o set state = 'COMPLETED' where order_id = $1 and state in ('PAID', 'FULFILLING')
               and not exists (select from units u where u.order_id = o.order_id
                               and u.state not in ('FINAL', 'REFUNDED'))""",
            order_id,
        )
    )


async def advance_parcel(tx: Transaction, order_id: UUID, state: str, after: Sequence[str]) -> bool:
    """Move the parcel's state on, if it now is one of `after` (none yet counts as before everything)."""
    return bool(
        await tx.execute(
            """update orders set parcel_state = $2
               where order_id = $1 and (parcel_state is null or parcel_state = any($3))""",
            order_id,
            state,
            list(after),
        )
    )


async def receive_units(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID], received_at: datetime) -> None:
    """Goods were received: their units are final."""
    await tx.execute(
        """update units set used_at = coalesce(used_at, $3), uses_final = jsonb_array_length(uses),
             state = case when state in ('OPEN', 'USED') then 'FINAL' else state end
           where order_id = $1 and unit_id = any($2)""",
        order_id,
        list(unit_ids),
        received_at,
    )


async def add_entry(tx: Transaction, order_id: UUID, what: What, at: datetime, about: object = "") -> None:
    """Note in the timeline what happened; the same thing is noted once."""
    await tx.execute(
        "insert into order_timeline (order_id, what, about, at) values ($1, $2, $3, $4) on conflict do nothing",
        order_id,
        what.value,
        str(about),
        at,
    )


async def entries_of(tx: Transaction, order_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """The noted entries of each of these orders, oldest first."""
    rows = await tx.fetch(
        "select order_id, what, at, about from order_timeline where order_id = any($1) order by at, what",
        list(order_ids),
    )
    entries: dict[UUID, list[Entry]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        entries[row["order_id"]].append(Entry(row["at"], What(row["what"]), row["about"]))
    return entries


def read_order(row: Row) -> Order:
    """An order as its row has it."""
    delivery = None
    if row["delivery_mode"]:
        parts = {name: row[name] for name in _DELIVERY}
        delivery = OrderDelivery(mode=DeliveryMode(row["delivery_mode"]), fee_fen=row["delivery_fee_fen"], **parts)
    return Order(
        **{name: row[name] for name in _PLAIN},
        state=OrderState(row["state"]),
        kind=DealKind(row["kind"]),
        form=form_of(row["form"], DealKind(row["kind"])),
        rules=UseRules.model_validate(row["rules"]),
        cash=CashVoucherTerms.model_validate(row["cash"]) if row["cash"] else None,
        code_source=CodeSource(row["code_source"]) if row["code_source"] else None,
        refund_policy=RefundPolicy(row["refund_policy"]),
        store_ids=tuple(row["store_ids"]),
        delivery=delivery,
    )


def _unit(row: Row) -> OrderUnit:
    return OrderUnit(
        unit_id=row["unit_id"],
        position=row["position"],
        state=UnitState(row["state"]),
        paid_fen=row["paid_fen"],
        original_price_fen=row["original_price_fen"],
        uses=tuple(UseValue.model_validate(use) for use in row["uses"]),
        uses_left=row["uses_left"],
        used_nos=frozenset(row["used_nos"]),
    )
