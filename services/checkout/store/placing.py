"""Placing many orders at once: one statement per table, however many they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.checkout.domain.offers import Payee, payee
from services.checkout.domain.orders import Order, OrderUnit
from services.checkout.domain.placing import Account
from services.checkout.store.stock import SOLD_NOW, Unsaid, unsaid
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class DealNow:
    """Of a deal on sale, what may change from one moment to the next."""

    deal_version: int
    online: bool
    store_ids: tuple[UUID, ...]
    payee: Payee | None


async def deals_now(tx: Transaction, deal_ids: Sequence[UUID]) -> dict[UUID, DealNow]:
    """The state of those of these deals about which catalog's events are complete."""
    rows = await tx.fetch(
        """select d.deal_id, d.deal_version, d.online, d.store_ids, m.state as merchant_state,
                  p.state as account_state, p.rail, p.sub_merchant_id
           from deals d
           join deal_versions v using (deal_id, deal_version)
           left join merchants m on m.merchant_id = d.merchant_id
           left join payout_accounts p on p.merchant_id = d.merchant_id
           where d.deal_id = any($1)""",
        list(deal_ids),
    )
    return {
        row["deal_id"]: DealNow(
            deal_version=row["deal_version"],
            online=row["online"],
            store_ids=tuple(row["store_ids"]),
            payee=payee(row["merchant_state"], row["account_state"], row["rail"], row["sub_merchant_id"]),
        )
        for row in rows
    }


async def counted(tx: Transaction, accounts: Sequence[Account]) -> dict[Account, int]:
    """How many units these buyers have of these deals, open and paid; nothing for those who have none."""
    rows = await tx.fetch(
        """select deal_id, buyer, units from buyer_counters
           where (deal_id, buyer) in (select * from unnest($1::uuid[], $2::text[]))""",
        [deal_id for deal_id, _ in accounts],
        [buyer for _, buyer in accounts],
    )
    return {(row["deal_id"], row["buyer"]): row["units"] for row in rows}


async def reserve_all(
    tx: Transaction, taken: Mapping[UUID, int], versions: Mapping[UUID, int]
) -> tuple[int, list[Unsaid]]:
    """Take so many out of what is left of each deal, unless that is less, or the deal is not on sale in this version
    any more: of how many deals it was taken, and whose change nobody has been asked to announce."""
    rows = await tx.fetch(
        f"""update stock s set reserved = s.reserved + t.quantity, version = s.version + 1
           from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as t (deal_id, quantity, deal_version), {SOLD_NOW}
           where s.deal_id = t.deal_id and d.deal_id = t.deal_id and d.deal_version = t.deal_version
             and s.quota - s.sold - s.reserved >= t.quantity
           returning s.deal_id, s.said_at, s.version - 1 = s.said_version as clean""",
        list(taken),
        list(taken.values()),
        [versions[deal_id] for deal_id in taken],
    )
    return len(rows), unsaid(rows, tx.now)


async def count_all(tx: Transaction, bought: Mapping[Account, int]) -> dict[Account, int]:
    """Add to what these buyers have of these deals; what they have then."""
    accounts = sorted(bought)
    rows = await tx.fetch(
        """insert into buyer_counters (deal_id, buyer, units)
           select * from unnest($1::uuid[], $2::text[], $3::bigint[])
           on conflict (deal_id, buyer) do update set units = buyer_counters.units + excluded.units
           returning deal_id, buyer, units""",
        [deal_id for deal_id, _ in accounts],
        [buyer for _, buyer in accounts],
        [bought[account] for account in accounts],
    )
    return {(row["deal_id"], row["buyer"]): row["units"] for row in rows}


async def add_orders(tx: Transaction, orders: Sequence[Order]) -> int:
    """Write new orders in the order of their ids; how many ids were free."""
    rows = [_columns(order) for order in sorted(orders, key=lambda order: order.order_id)]
    return await tx.execute(_ADD_ORDERS, *([row[at] for row in rows] for at in range(len(_ORDER))))


async def add_units(tx: Transaction, units: Sequence[tuple[UUID, OrderUnit]]) -> None:
    """Write the units of orders that were just written, each with its order's id."""
    await tx.execute(
        """insert into units (unit_id, order_id, position, paid_fen, original_price_fen, uses)
           select unit_id, order_id, position, paid_fen, original_price_fen, uses::jsonb
           from unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::bigint[], $6::text[])
             as u (unit_id, order_id, position, paid_fen, original_price_fen, uses)""",
        [unit.unit_id for _, unit in units],
        [order_id for order_id, _ in units],
        [unit.position for _, unit in units],
        [unit.paid_fen for _, unit in units],
        [unit.original_price_fen for _, unit in units],
        [json.dumps([use.model_dump() for use in unit.uses]) for _, unit in units],
    )


# An array of arrays would have to be rectangular, and lists inside jsonb[] would become a second dimension: what is a
# list or a document itself travels as text.
_ORDER = {
    "order_id": "uuid", "order_no": "text", "state": "text", "buyer": "text", "merchant_id": "uuid", "deal_id": "uuid",
    "deal_version": "bigint", "kind": "text", "title": "text", "cover": "text", "quantity": "int",
    "unit_price_fen": "bigint", "total_fen": "bigint", "rules": "jsonb", "store_ids": "uuid[]", "source": "text",
    "request_digest": "bytea", "placed_at": "timestamptz", "expires_at": "timestamptz", "delivery_mode": "text",
    "delivery_fee_fen": "bigint", "weight_g": "int", "category": "text", "sealed_address": "text",
    "masked_phone": "text", "masked_address": "text", "form": "text", "cash": "jsonb", "code_source": "text",
    "refund_policy": "text", "sealed_phone": "text", "phone_lookup": "text",
}  # fmt: skip
_AS_TEXT = {"jsonb", "uuid[]"}
_ADD_ORDERS = f"""
insert into orders ({", ".join(_ORDER)})
select {", ".join(f"{name}::{kind}" if kind in _AS_TEXT else name for name, kind in _ORDER.items())}
from unnest({", ".join(f"${n}::{'text' if kind in _AS_TEXT else kind}[]" for n, kind in enumerate(_ORDER.values(), 1))})
  as o ({", ".join(_ORDER)})
on conflict (order_id) do nothing
"""


def _columns(order: Order) -> tuple[Any, ...]:
    """The values of _ORDER."""
    delivery = order.delivery
    return (
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
        order.rules.model_dump_json(),
        f"{{{','.join(map(str, order.store_ids))}}}",
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
        order.form.value,
        order.cash.model_dump_json() if order.cash else None,
        order.code_source.value if order.code_source else None,
        order.refund_policy.value,
        order.sealed_phone,
        order.phone_lookup,
    )
