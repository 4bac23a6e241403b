"""Copies of catalog's facts, kept at their highest version whatever the order in which events arrive."""

from services.checkout.domain.offers import form_of
from shared.contracts.catalog import DealChanged, DealVersionPublished, MerchantChanged, PayoutAccountChanged
from shared.database import Transaction


async def keep_merchant(tx: Transaction, event: MerchantChanged) -> None:
    """Keep the newest state of a merchant."""
    await tx.execute(
        """insert into merchants (merchant_id, version, name, state) values ($1, $2, $3, $4)
           on conflict (merchant_id) do update
           set version = excluded.version, name = excluded.name, state = excluded.state
           where merchants.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.name,
        event.state.value,
    )


async def keep_payout_account(tx: Transaction, event: PayoutAccountChanged) -> None:
    """Keep whether and by which rail a merchant can be paid. The account itself is sealed for settlement only."""
    await tx.execute(
        """insert into payout_accounts (merchant_id, version, state, rail, sub_merchant_id) values ($1, $2, $3, $4, $5)
           on conflict (merchant_id) do update
           set version = excluded.version, state = excluded.state, rail = excluded.rail,
               sub_merchant_id = excluded.sub_merchant_id
           where payout_accounts.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.state.value,
        event.rail.value,
        event.sub_merchant_id,
    )


async def keep_deal_version(tx: Transaction, event: DealVersionPublished) -> None:
    """Keep an immutable version of a deal."""
    await tx.execute(
        """insert into deal_versions (deal_id, deal_version, merchant_id, kind, title, cover, price_fen,
             original_price_fen, per_buyer_limit, sale_from, sale_until, rules, delivery, form, uses_per_unit, cash,
             code_source, refund_policy)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
           on conflict (deal_id, deal_version) do nothing""",
        event.deal_id,
        event.deal_version,
        event.merchant_id,
        event.kind.value,
        event.title,
        event.cover,
        event.price_fen,
        event.original_price_fen,
        event.per_buyer_limit,
        event.sale_from,
        event.sale_until,
        event.rules.model_dump(mode="json"),
        event.delivery.model_dump(mode="json") if event.delivery else None,
        form_of(event.form, event.kind).value,
        event.uses_per_unit,
        event.cash.model_dump(mode="json") if event.cash else None,
        event.code_source,
        event.refund_policy.value,
    )


async def keep_deal(tx: Transaction, event: DealChanged) -> bool:
    """Keep the newest state of a deal; whether the event was news."""
    return bool(
        await tx.execute(
            """insert into deals (deal_id, version, deal_version, merchant_id, online, total_quota, store_ids)
               values ($1, $2, $3, $4, $5, $6, $7)
               on conflict (deal_id) do update
               set version = excluded.version, deal_version = excluded.deal_version,
                   merchant_id = excluded.merchant_id, online = excluded.online,
                   total_quota = excluded.total_quota, store_ids = excluded.store_ids
               where deals.version < excluded.version""",
            event.deal_id,
            event.version,
            event.deal_version,
            event.merchant_id,
            event.online,
            event.total_quota,
            list(event.store_ids),
        )
    )
