"""What catalog says about deals."""

from datetime import datetime

from services.catalog.domain.deals import Deal
from shared.contracts.catalog import DealChanged, DealVersionPublished


def deal_version_published(deal: Deal, now: datetime) -> DealVersionPublished:
    """What checkout is told of an approved version; the deal's content is that version's."""
    content = deal.content
    return DealVersionPublished(
        occurred_at=now,
        version=deal.version,
        deal_id=deal.deal_id,
        deal_version=deal.deal_version,
        merchant_id=deal.merchant_id,
        kind=content.form.kind,
        title=content.title,
        cover=content.cover,
        price_fen=content.price_fen,
        original_price_fen=content.original_price_fen,
        per_buyer_limit=content.per_buyer_limit,
        sale_from=content.sale_from,
        sale_until=content.sale_until,
        rules=content.rules,
        delivery=content.delivery,
        form=content.form,
        uses_per_unit=content.uses_per_unit,
        cash=content.cash,
        code_source=content.code_source,
        refund_policy=content.refund_policy,
    )


def deal_changed(deal: Deal, now: datetime) -> DealChanged:
    """What checkout is told of a deal that may be on sale."""
    return DealChanged(
        occurred_at=now,
        version=deal.version,
        deal_id=deal.deal_id,
        deal_version=deal.deal_version,
        merchant_id=deal.merchant_id,
        online=deal.online,
        total_quota=deal.total_quota,
        store_ids=deal.open_store_ids,
    )
