"""The deals of one merchant, page by page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog.domain.deals import DealContent, DealState, Rejection
from services.catalog.store.deals import HAS_OPEN_STORE, why_rejected
from shared.database import Transaction

# `deal_state` once more, so that Postgres can leave out what is not asked for; a test holds the two against each
# other. An approved draft says what the newest version says.
_STATE = """case when d.draft_state <> 'APPROVED' then d.draft_state
    when v.sale_until <= $2 then 'ENDED' else d.sale_state end"""


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal in the merchant's list: its draft, and the sale (of which an unpublished deal has nothing yet)."""

    deal_id: UUID
    merchant_id: UUID
    content: DealContent
    state: DealState
    rejection: Rejection | None
    revision: int
    deal_version: int
    version: int
    online: bool
    total_quota: int
    available: int
    sold: int
    submitted_at: datetime | None


async def are_deals_of(tx: Transaction, merchant_id: UUID, deal_ids: Collection[UUID]) -> bool:
    """Whether every one of these deals is the merchant's."""
    return bool(
        await tx.value(
            "select count(*) = $3 from deals where merchant_id = $1 and deal_id = any($2::uuid[])",
            merchant_id,
            list(deal_ids),
            len(deal_ids),
        )
    )


async def merchant_deals(
    tx: Transaction, merchant_id: UUID, state: DealState | None, after: UUID | None, limit: int
) -> Sequence[DealRow]:
    """Deals with an id before `after`, so the newest first where ids grow with time."""
    rows = await tx.fetch(
        f"""select d.deal_id, d.merchant_id, d.draft, d.draft_state, d.reason, d.reason_template, {_STATE} as state,
                   d.revision, d.deal_version, d.version, d.submitted_at,
                   coalesce(d.sale_state = 'ONLINE', false) and {HAS_OPEN_STORE} as online,
                   d.total_quota, coalesce(a.available, d.total_quota) as available, coalesce(a.sold, 0) as sold
            from deals d
            left join deal_versions v on v.deal_id = d.deal_id and v.deal_version = d.deal_version
            left join availability a on a.deal_id = d.deal_id
            where d.merchant_id = $1 and ($3::text is null or {_STATE} = $3) and ($4::uuid is null or d.deal_id < $4)
            order by d.deal_id desc limit $5""",
        merchant_id,
        tx.now,
        state,
        after,
        limit,
    )
    plain = ("deal_id", "merchant_id", "revision", "deal_version", "version", "online", "total_quota", "available",
             "sold", "submitted_at")  # fmt: skip
    return [
        DealRow(
            **{name: row[name] for name in plain},
            content=DealContent.read(row["draft"]),
            state=DealState(row["state"]),
            rejection=why_rejected(row),
        )
        for row in rows
    ]
