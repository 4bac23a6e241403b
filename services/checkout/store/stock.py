"""Stock and purchase limits: single guarded statements on one row, so that concurrency cannot oversell.

Whatever changes several rows locks them in this order, so that nothing deadlocks: orders by id; stock by deal; buyers'
counters, which only who holds their deal's stock touches; then new rows by id (docs/decisions/0011).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.checkout.domain.offers import Offer, form_of, payee
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealKind, DeliveryTerms, RefundPolicy
from shared.contracts.use_rules import UseRules
from shared.database import Row, Transaction

# `clean` in these answers: what is available had been said before this change, so nobody has been asked to say it yet.
_CLEAN = "version - 1 = said_version as clean"


@dataclass(frozen=True, slots=True)
class Availability:
    """What is left of a deal; `available` is never negative even if the quota fell below what is sold."""

    deal_id: UUID
    available: int
    sold: int
    version: int


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A deal whose change nobody has been asked to announce, and when it was last announced."""

    deal_id: UUID
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was decided with the stock: whom to tell, and the stores where the deal is open at that moment."""

    unsaid: list[Unsaid]
    store_ids: tuple[UUID, ...]


async def set_quota(tx: Transaction, deal_id: UUID, quota: int) -> list[Unsaid]:
    """Take over catalog's quota; the deal if its announcement is to be scheduled."""
    rows = await tx.fetch(
        f"""insert into stock (deal_id, quota) values ($1, $2)
            on conflict (deal_id) do update set quota = excluded.quota, version = stock.version + 1
            returning deal_id, said_at, {_CLEAN}""",
        deal_id,
        quota,
    )
    return unsaid(rows, tx.now)


async def hold(tx: Transaction, deal_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Lock the stock of these deals until the transaction ends, and say what is left of each. Statements that follow
    see all that was committed before the locks were had."""
    rows = await tx.fetch(
        """select deal_id, greatest(0, quota - sold - reserved) as available
           from stock where deal_id = any($1) order by deal_id for update""",
        list(deal_ids),
    )
    return {row["deal_id"]: row["available"] for row in rows}


async def is_known(tx: Transaction, deal_id: UUID) -> bool:
    """Whether the deal was ever on sale here."""
    return bool(await tx.value("select exists (select from stock where deal_id = $1)", deal_id))


async def find_offer(tx: Transaction, deal_id: UUID) -> Offer | None:
    """The deal in the version that is sold now, or None while catalog's events about it are incomplete."""
    return (await find_offers(tx, [deal_id])).get(deal_id)


async def find_offers(tx: Transaction, deal_ids: Iterable[UUID]) -> dict[UUID, Offer]:
    """Those of these deals about which catalog's events are complete, in the version that is sold now."""
    rows = await tx.fetch(
        """select d.deal_id, d.deal_version, d.merchant_id, d.online, d.store_ids, v.kind, v.form, v.title, v.cover,
                  v.price_fen, v.original_price_fen, v.per_buyer_limit, v.uses_per_unit, v.sale_from, v.sale_until,
                  v.rules, v.delivery, v.cash, v.code_source, v.refund_policy,
                  greatest(0, s.quota - s.sold - s.reserved) as available,
                  m.state as merchant_state, p.state as account_state, p.rail, p.sub_merchant_id
           from deals d
           join deal_versions v using (deal_id, deal_version)
           join stock s using (deal_id)
           left join merchants m on m.merchant_id = d.merchant_id
           left join payout_accounts p on p.merchant_id = d.merchant_id
           where d.deal_id = any($1)""",
        list(deal_ids),
    )
    return {row["deal_id"]: _offer(row) for row in rows}


# A deal that may be sold at this moment. Whatever was looked at before decides nothing.
SOLD_NOW = """deals d
    join merchants m on m.merchant_id = d.merchant_id and m.state = 'VERIFIED'
    join payout_accounts p on p.merchant_id = d.merchant_id and p.state = 'VERIFIED'
      and (p.rail <> 'ZHIFUTONG' or p.sub_merchant_id <> '') and d.online and d.store_ids <> '{}'"""


async def reserve(tx: Transaction, deal_id: UUID, deal_version: int, quantity: int) -> Reserved | None:
    """Take `quantity` out of what is left. None if the deal, its merchant or the account, as the database has them now,
    do not allow it: what `find_offer` saw decides nothing."""
    rows = await tx.fetch(
        f"""update stock s set reserved = s.reserved + $3, version = s.version + 1
            from {SOLD_NOW}
            where s.deal_id = $1 and d.deal_id = s.deal_id and d.deal_version = $2
              and s.quota - s.sold - s.reserved >= $3
            returning s.deal_id, s.said_at, s.version - 1 = s.said_version as clean, d.store_ids""",
        deal_id,
        deal_version,
        quantity,
    )
    return Reserved(unsaid(rows, tx.now), tuple(rows[0]["store_ids"])) if rows else None


async def count_for_buyer(tx: Transaction, deal_id: UUID, buyer: str, quantity: int, limit: int) -> bool:
    """Add to what this buyer has open and paid of this deal, unless that passes the limit (0: no limit)."""
    return bool(
        await tx.execute(
            """insert into buyer_counters (deal_id, buyer, units)
               select $1, $2, $3::int where $4::int = 0 or $3::int <= $4::int
               on conflict (deal_id, buyer) do update set units = buyer_counters.units + excluded.units
               where $4::int = 0 or buyer_counters.units + excluded.units <= $4::int""",
            deal_id,
            buyer,
            quantity,
            limit,
        )
    )


async def counted_for_buyer(tx: Transaction, deal_id: UUID, buyer: str) -> int:
    """How many units of this deal the buyer has, open and paid."""
    counted = await tx.value("select units from buyer_counters where deal_id = $1 and buyer = $2", deal_id, buyer)
    return int(counted or 0)


async def sell_reserved(tx: Transaction, deal_id: UUID, quantity: int) -> list[Unsaid]:
    """What was reserved is paid."""
    rows = await tx.fetch(
        f"""update stock set reserved = reserved - $2, sold = sold + $2, version = version + 1
            where deal_id = $1 returning deal_id, said_at, {_CLEAN}""",
        deal_id,
        quantity,
    )
    return unsaid(rows, tx.now)


async def return_sold(tx: Transaction, deal_id: UUID, buyer: str, refunded: int, for_sale: int) -> list[Unsaid]:
    """Refunded units no longer count for their buyer, because the limit counts what somebody has paid for; so many of
    them can be bought again by anybody."""
    rows = await tx.fetch(
        f"""with counted as (
              update buyer_counters set units = units - $3 where deal_id = $1 and buyer = $2)
            update stock set sold = sold - $4, version = version + 1
            where deal_id = $1 and $4 > 0 returning deal_id, said_at, {_CLEAN}""",
        deal_id,
        buyer,
        refunded,
        for_sale,
    )
    return unsaid(rows, tx.now)


async def close_unpaid(tx: Transaction, order_ids: Sequence[UUID]) -> list[Unsaid]:
    """Close those of these orders that are past their time, unpaid and without a live payment attempt, and give
    their stock and their part of the buyers' limits back. The caller holds the orders."""
    await tx.execute(
        """select from stock where deal_id in (select deal_id from orders where order_id = any($1))
           order by deal_id for update""",
        list(order_ids),
    )
    rows = await tx.fetch(
        """with closed as (
              update orders o set state = 'CLOSED', closed_at = $2
              where o.order_id = any($1) and o.state = 'PLACED' and o.expires_at <= $2
                and not exists (select from payment_attempts a
                                where a.order_id = o.order_id and a.state in ('OPEN', 'CLOSING'))
              returning o.deal_id, o.buyer, o.quantity),
            counted as (
              update buyer_counters c set units = c.units - t.quantity
              from (select deal_id, buyer, sum(quantity) as quantity from closed group by deal_id, buyer) t
              where c.deal_id = t.deal_id and c.buyer = t.buyer)
            update stock s set reserved = s.reserved - t.quantity, version = s.version + 1
            from (select deal_id, sum(quantity) as quantity from closed group by deal_id) t
            where s.deal_id = t.deal_id
            returning s.deal_id, s.said_at, s.version - 1 = s.said_version as clean""",
        list(order_ids),
        tx.now,
    )
    return unsaid(rows, tx.now)


async def take_unsaid(tx: Transaction, deal_ids: Sequence[UUID]) -> list[Availability]:
    """What is left of these deals, marked as announced at this moment."""
    await hold(tx, deal_ids)
    rows = await tx.fetch(
        """update stock set said_version = version, said_at = $2 where deal_id = any($1) and version > said_version
           returning deal_id, greatest(0, quota - sold - reserved) as available, sold, version""",
        list(deal_ids),
        tx.now,
    )
    return [Availability(**dict(row)) for row in rows]


def unsaid(rows: list[Row], now: datetime) -> list[Unsaid]:
    """Those of these changed rows whose change nobody has been asked to announce."""
    # A clock that was moved back must not silence a deal until it has caught up.
    return [Unsaid(row["deal_id"], min(row["said_at"], now)) for row in rows if row["clean"]]


def _offer(row: Row) -> Offer:
    fields = dict(row)
    parts = [fields.pop(name) for name in ("merchant_state", "account_state", "rail", "sub_merchant_id")]
    return Offer(
        **{
            **fields,
            "kind": DealKind(fields["kind"]),
            "form": form_of(fields["form"], DealKind(fields["kind"])),
            "rules": UseRules.model_validate(fields["rules"]),
            "delivery": DeliveryTerms.model_validate(fields["delivery"]) if fields["delivery"] else None,
            "cash": CashVoucherTerms.model_validate(fields["cash"]) if fields["cash"] else None,
            "code_source": CodeSource(fields["code_source"]) if fields["code_source"] else None,
            "refund_policy": RefundPolicy(fields["refund_policy"]),
            "store_ids": tuple(fields["store_ids"]),
        },
        payee=payee(*parts),
    )
