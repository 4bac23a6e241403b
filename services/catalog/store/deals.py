"""Deals in the database: one row for draft and sale, and a row that never changes for each approved version."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.catalog.domain.deals import Deal, DealContent, DraftState, Rejection, ReviewTemplate, SaleState
from shared.database import Row, Transaction

# A deal sells only in stores that are open and its merchant's own, whatever stores it was made for.
HAS_OPEN_STORE = """exists (select from stores s
    where s.store_id = any(d.store_ids) and s.open and s.merchant_id = d.merchant_id)"""


def buyable(now: str) -> str:
    """What can be bought at `now` (a placeholder), of ON_OFFER: `badge_state` says the same of one deal, and
    a test holds the two against each other."""
    return f"""d.sale_state = 'ONLINE' and m.state = 'VERIFIED' and p.state = 'VERIFIED'
    and v.sale_from <= {now} and v.sale_until > {now} and coalesce(a.available, d.total_quota) > 0
    and {HAS_OPEN_STORE}"""


BUYABLE = buyable("$1")
# Beside `deals d`: the version on offer, whose it is, and how many are left.
ON_OFFER = """join deal_versions v on v.deal_id = d.deal_id and v.deal_version = d.deal_version
join merchants m on m.merchant_id = d.merchant_id
left join payout_accounts p on p.merchant_id = d.merchant_id
left join availability a on a.deal_id = d.deal_id"""
FORM = """coalesce(v.content->>'form', case v.content->>'kind' when 'GOODS' then 'GOODS' else 'SET' end)"""
OPEN_STORE_IDS = """array(select s.store_id from stores s where s.store_id = any(d.store_ids) and s.open
    and s.merchant_id = d.merchant_id order by s.store_id) as open_store_ids"""
DEAL_COLUMNS = f"""deal_id, merchant_id, revision, draft, draft_state, reason, reason_template, version, deal_version,
sale_state, total_quota, store_ids, {OPEN_STORE_IDS}"""


def deal_of(row: Row) -> Deal:
    """The deal in a row that has DEAL_COLUMNS."""
    deal = Deal(
        deal_id=row["deal_id"],
        merchant_id=row["merchant_id"],
        revision=row["revision"],
        content=DealContent.read(row["draft"]),
        draft_state=DraftState(row["draft_state"]),
        rejection=why_rejected(row),
        version=row["version"],
        deal_version=row["deal_version"],
        sale_state=SaleState(row["sale_state"]) if row["sale_state"] else None,
        total_quota=row["total_quota"],
        store_ids=tuple(row["store_ids"]),
        open_store_ids=tuple(row["open_store_ids"]),
    )
    return replace(deal, content=deal.in_force(deal.content))


def why_rejected(row: Row) -> Rejection | None:
    """Why the draft in a row was rejected, while it is."""
    if row["draft_state"] != DraftState.REJECTED:
        return None
    template = row["reason_template"]
    return Rejection(ReviewTemplate(template) if template else None, row["reason"])


def _one(row: Row | None) -> Deal | None:
    return deal_of(row) if row else None


async def add_draft(tx: Transaction, deal_id: UUID, merchant_id: UUID, content: DealContent) -> Deal | None:
    """A new draft, or None when the id is in use."""
    return _one(
        await tx.row(
            f"""insert into deals as d (deal_id, merchant_id, revision, draft, draft_state)
                values ($1, $2, 1, $3, 'DRAFT') on conflict (deal_id) do nothing returning {DEAL_COLUMNS}""",
            deal_id,
            merchant_id,
            content.stored(),
        )
    )


async def change_draft(tx: Transaction, deal_id: UUID, revision: int, content: DealContent) -> Deal | None:
    """The next revision of a draft; None when it was changed meanwhile or is in review."""
    return _one(
        await tx.row(
            f"""update deals d set revision = revision + 1, draft = $3, draft_state = 'DRAFT', reason = null,
                    reason_template = null
                where deal_id = $1 and revision = $2 and draft_state <> 'IN_REVIEW' returning {DEAL_COLUMNS}""",
            deal_id,
            revision,
            content.stored(),
        )
    )


async def submit_draft(tx: Transaction, deal_id: UUID, revision: int) -> Deal | None:
    """A draft, or a rejected one, waits for review; None when it was changed meanwhile or is neither."""
    return _one(
        await tx.row(
            f"""update deals d set draft_state = 'IN_REVIEW', reason = null, reason_template = null,
                    submitted_at = $3
                where deal_id = $1 and revision = $2 and draft_state in ('DRAFT', 'REJECTED')
                returning {DEAL_COLUMNS}""",
            deal_id,
            revision,
            tx.now,
        )
    )


async def reject_draft(tx: Transaction, deal_id: UUID, revision: int, rejection: Rejection) -> Deal | None:
    """The reviewed revision is rejected; None when it is not in review."""
    return _one(
        await tx.row(
            f"""update deals d set draft_state = 'REJECTED', reason = $3, reason_template = $4
                where deal_id = $1 and revision = $2 and draft_state = 'IN_REVIEW' returning {DEAL_COLUMNS}""",
            deal_id,
            revision,
            rejection.text,
            rejection.template,
        )
    )


async def publish_draft(tx: Transaction, deal: Deal, operator: str) -> Deal | None:
    """The reviewed revision becomes the next version, on sale if the one before was; None when it is not in review.

    Only the first one brings quota and stores: later ones leave what is in force now, and may just have been changed.
    """
    published = _one(
        await tx.row(
            f"""update deals d set draft_state = 'APPROVED', deal_version = deal_version + 1, version = version + 1,
                    sale_state = coalesce(sale_state, 'APPROVED'),
                    total_quota = case when deal_version = 0 then $3 else total_quota end,
                    store_ids = case when deal_version = 0 then $4::uuid[] else store_ids end
                where deal_id = $1 and revision = $2 and draft_state = 'IN_REVIEW' returning {DEAL_COLUMNS}""",
            deal.deal_id,
            deal.revision,
            deal.content.total_quota,
            list(deal.content.store_ids),
        )
    )
    if published is not None:
        content = published.content
        await tx.execute(
            """insert into deal_versions (deal_id, deal_version, content, title, price_fen, original_price_fen,
                   sale_from, sale_until, approved_by, published_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            deal.deal_id,
            published.deal_version,
            content.stored(),
            content.title,
            content.price_fen,
            content.original_price_fen,
            content.sale_from,
            content.sale_until,
            operator,
            tx.now,
        )
    return published


async def hold_deals(tx: Transaction, deal_ids: Sequence[UUID]) -> None:
    """Take these deals before their sale changes. Whoever waits inside the changing statement itself sees the stores as
    they were when it began, and would tell checkout of one that the other has just closed."""
    await tx.execute("select from deals where deal_id = any($1) order by deal_id for no key update", list(deal_ids))


async def switch_sale(tx: Transaction, deal_id: UUID, version: int | None, *, online: bool) -> Deal | None:
    """The approved version goes on or off sale; None when there is none, it already is so, or was changed meanwhile."""
    return _one(
        await tx.row(
            f"""update deals d set version = version + 1, sale_state = case when $2 then 'ONLINE' else 'OFFLINE' end
                where deal_id = $1 and sale_state is not null and (sale_state = 'ONLINE') <> $2
                    and ($3::bigint is null or version = $3) returning {DEAL_COLUMNS}""",
            deal_id,
            online,
            version,
        )
    )


async def change_stock(tx: Transaction, deal_id: UUID, total_quota: int, version: int | None) -> Deal | None:
    """Another quota for a published deal at once; None when it has it, was changed meanwhile, or is not published."""
    return _one(
        await tx.row(
            f"""update deals d set version = version + 1, total_quota = $2
                where deal_id = $1 and deal_version > 0 and total_quota <> $2
                    and ($3::bigint is null or version = $3) returning {DEAL_COLUMNS}""",
            deal_id,
            total_quota,
            version,
        )
    )


async def change_stores(tx: Transaction, deal_id: UUID, store_ids: Sequence[UUID], version: int | None) -> Deal | None:
    """Other stores for a published deal at once; None when it has them, was changed meanwhile, or is not published."""
    return _one(
        await tx.row(
            f"""update deals d set version = version + 1, store_ids = $2
                where deal_id = $1 and deal_version > 0 and store_ids <> $2
                    and ($3::bigint is null or version = $3) returning {DEAL_COLUMNS}""",
            deal_id,
            list(store_ids),
            version,
        )
    )


async def say_again(tx: Transaction, deal_ids: Sequence[UUID]) -> Sequence[Deal]:
    """The next version of what was said about these deals, because their stores changed; unapproved ones are silent."""
    rows = await tx.fetch(
        f"""update deals d set version = version + 1 where deal_id = any($1) and deal_version > 0
            returning {DEAL_COLUMNS}""",
        list(deal_ids),
    )
    return [deal_of(row) for row in rows]


async def deal(tx: Transaction, deal_id: UUID) -> Deal | None:
    """One deal with its draft."""
    return _one(await tx.row(f"select {DEAL_COLUMNS} from deals d where deal_id = $1", deal_id))


async def version_content(tx: Transaction, deal_id: UUID, deal_version: int) -> DealContent | None:
    """What an approved version says."""
    content = await tx.value(
        "select content from deal_versions where deal_id = $1 and deal_version = $2", deal_id, deal_version
    )
    return DealContent.read(content) if content else None


async def keep_availability(tx: Transaction, deal_id: UUID, version: int, available: int, sold: int) -> None:
    """Checkout's newest count, whatever the order in which counts arrive."""
    await tx.execute(
        """insert into availability (deal_id, version, available, sold) values ($1, $2, $3, $4)
           on conflict (deal_id) do update
           set version = excluded.version, available = excluded.available, sold = excluded.sold
           where availability.version < excluded.version""",
        deal_id,
        version,
        available,
        sold,
    )
