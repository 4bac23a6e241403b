"""The version of a deal that is on offer, as its public page shows it."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.deals import DealContent, Sale
from services.catalog.store.deals import HAS_OPEN_STORE, ON_OFFER, OPEN_STORE_IDS
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class PublishedDeal:
    """The version on offer with all that its page shows of merchant and stock. Stores lost to others are left out."""

    deal_id: UUID
    deal_version: int
    merchant_id: UUID
    merchant_name: str
    merchant_phone: str
    content: DealContent
    sale: Sale
    total_quota: int
    sold: int
    store_ids: tuple[UUID, ...]
    open_store_ids: tuple[UUID, ...]


async def published_deal(tx: Transaction, deal_id: UUID) -> PublishedDeal | None:
    """The newest approved version of a deal, or None when nothing was ever approved."""
    row = await tx.row(
        f"""select d.deal_id, d.deal_version, d.merchant_id, m.name, m.phone, v.content,
                  d.sale_state = 'ONLINE' and {HAS_OPEN_STORE} as online,
                  m.state = 'VERIFIED' and coalesce(p.state = 'VERIFIED', false) as may_sell,
                  m.state = 'SUSPENDED' as suspended,
                  v.sale_from, v.sale_until, d.total_quota, {OPEN_STORE_IDS},
                  array(select s.store_id from stores s where s.store_id = any(d.store_ids)
                        and s.merchant_id = d.merchant_id) as store_ids,
                  coalesce(a.available, d.total_quota) as available, coalesce(a.sold, 0) as sold
           from deals d {ON_OFFER}
           where d.deal_id = $1""",
        deal_id,
    )
    if row is None:
        return None
    return PublishedDeal(
        deal_id=row["deal_id"],
        deal_version=row["deal_version"],
        merchant_id=row["merchant_id"],
        merchant_name=row["name"],
        merchant_phone=row["phone"],
        content=DealContent.read(row["content"]),
        sale=Sale(row["online"], row["may_sell"], row["sale_from"], row["sale_until"], row["available"]),
        total_quota=row["total_quota"],
        sold=row["sold"],
        store_ids=tuple(row["store_ids"]),
        # A suspended merchant has no open store: nothing is redeemed for it.
        open_store_ids=() if row["suspended"] else tuple(row["open_store_ids"]),
    )
