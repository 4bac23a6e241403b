"""What a store's public page needs from the database, and the deal cards that search shows too."""

from typing import Any
from uuid import UUID

from services.catalog.domain.store_page import DealCard, Holder, Part
from services.catalog.store.deals import BUYABLE, FORM, ON_OFFER
from shared.contracts.catalog import CashVoucherTerms, DealForm
from shared.database import Row, Transaction

CARD_COLUMNS = f"""d.deal_id, v.title, v.content->>'cover' as cover, v.price_fen, v.original_price_fen, {FORM} as form,
v.content->'cash' as cash, coalesce(a.sold, 0) as sold, coalesce(a.available, d.total_quota) as available"""


def card_of(row: Row) -> DealCard:
    """The card in a row that has CARD_COLUMNS."""
    names = ("deal_id", "title", "cover", "price_fen", "original_price_fen", "sold", "available")
    known: dict[str, Any] = {name: row[name] for name in names}
    cash = row["cash"]
    return DealCard(**known, form=DealForm(row["form"]), cash=CashVoucherTerms.model_validate(cash) if cash else None)


async def holder(tx: Transaction, merchant_id: UUID) -> Holder | None:
    """Who runs a store."""
    row = await tx.row("select merchant_id, name, phone from merchants where merchant_id = $1", merchant_id)
    if row is None:
        return None
    return Holder(row["merchant_id"], row["name"], row["phone"])


async def deals_of_store(
    tx: Transaction, store_id: UUID, merchant_id: UUID, part: Part, after: tuple[int, UUID] | None, limit: int
) -> tuple[DealCard, ...]:
    """What its holder sells for an open store now, best sold first: cash vouchers, or everything else.
    As in the search, a deal that is sold between two looks may move past the cursor."""
    sold, deal_id = after or (None, None)
    rows = await tx.fetch(
        f"""select {CARD_COLUMNS} from deals d {ON_OFFER}
            where d.store_ids @> array[$2::uuid] and d.merchant_id = $3 and ({FORM} = 'CASH_VOUCHER') = $4 and {BUYABLE}
                and ($5::bigint is null or (coalesce(a.sold, 0), d.deal_id) < ($5, $6::uuid))
            order by coalesce(a.sold, 0) desc, d.deal_id desc limit $7""",
        tx.now,
        store_id,
        merchant_id,
        part is Part.VOUCHERS,
        sold,
        deal_id,
        limit,
    )
    return tuple(card_of(row) for row in rows)
