"""Merchants in the database."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from services.catalog.domain.checklist import Found, Progress
from services.catalog.domain.merchants import AccountKind, Application, Licence, Merchant
from services.catalog.domain.payout_accounts import LicenceKind
from shared.contracts.catalog import MerchantState
from shared.database import Row, Transaction

MERCHANT_COLUMNS = """merchant_id, version, name, phone, account_kind, licence_kind, licence_no, subject_name,
legal_person, licence_expires_on, licence_evidence, state, reason, reason_code, opened_at, suspended_from,
suspension_reason"""

# A suspended merchant stays suspended: its standing changes underneath. {0} is the standing.
_STANDS = """state = case when state = 'SUSPENDED' then state else {0} end,
    suspended_from = case when state = 'SUSPENDED' then {0} end"""


def merchant_of(row: Row) -> Merchant:
    """The merchant in a row that has MERCHANT_COLUMNS."""
    return Merchant(
        merchant_id=row["merchant_id"],
        version=row["version"],
        application=Application(
            name=row["name"],
            phone=row["phone"],
            account_kind=AccountKind(row["account_kind"]),
            licence=Licence(
                licence_kind=LicenceKind(row["licence_kind"]),
                licence_no=row["licence_no"],
                subject_name=row["subject_name"],
                legal_person=row["legal_person"],
                licence_expires_on=row["licence_expires_on"],
                licence_evidence=row["licence_evidence"],
            ),
        ),
        state=MerchantState(row["state"]),
        reason=row["reason"],
        reason_code=row["reason_code"],
        opened_at=row["opened_at"],
        suspended_from=MerchantState(row["suspended_from"]) if row["suspended_from"] else None,
        suspension_reason=row["suspension_reason"],
    )


def _one(row: Row | None) -> Merchant | None:
    return merchant_of(row) if row else None


def _values(application: Application) -> tuple[object, ...]:
    licence = application.licence
    return (
        application.name,
        application.phone,
        application.account_kind.value,
        licence.licence_kind.value,
        licence.licence_no,
        licence.subject_name,
        licence.legal_person,
        licence.licence_expires_on,
        licence.licence_evidence,
    )


async def add_merchant(tx: Transaction, merchant_id: UUID, application: Application, applicant: str) -> Merchant | None:
    """A new application, or None when the id is in use."""
    return _one(
        await tx.row(
            f"""insert into merchants (merchant_id, version, name, phone, account_kind, licence_kind, licence_no,
                    subject_name, legal_person, licence_expires_on, licence_evidence, state, applied_by, applied_at)
                values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'APPLIED', $11, $12)
                on conflict (merchant_id) do nothing returning {MERCHANT_COLUMNS}""",
            merchant_id,
            *_values(application),
            applicant,
            tx.now,
        )
    )


async def apply_again(tx: Transaction, before: Merchant, application: Application, applicant: str) -> Merchant | None:
    """A known merchant waits for a decision on this application; None when it changed since `before` was read."""
    return _one(
        await tx.row(
            f"""update merchants set version = version + 1, name = $2, phone = $3, account_kind = $4, licence_kind = $5,
                    licence_no = $6, subject_name = $7, legal_person = $8, licence_expires_on = $9,
                    licence_evidence = $10, {_STANDS.format("'APPLIED'")}, reason = null, reason_code = null,
                    applied_by = $11, applied_at = $12, decided_by = null, decided_at = null
                where merchant_id = $1 and version = $13 returning {MERCHANT_COLUMNS}""",
            before.merchant_id,
            *_values(application),
            applicant,
            tx.now,
            before.version,
        )
    )


async def decide_application(
    tx: Transaction, merchant_id: UUID, standing: MerchantState, reason: str | None, operator: str, version: int
) -> Merchant | None:
    """The operator's decision on a waiting application, or None when nothing (or another version) waits."""
    return _one(
        await tx.row(
            f"""update merchants set version = version + 1, {_STANDS.format("$2")}, reason = $3, decided_by = $4,
                    decided_at = $5
                where merchant_id = $1 and standing = 'APPLIED' and version = $6 returning {MERCHANT_COLUMNS}""",
            merchant_id,
            standing.value,
            reason,
            operator,
            tx.now,
            version,
        )
    )


async def expire_licences(tx: Transaction, merchant_ids: Collection[UUID], today: date, why: Found) -> list[Merchant]:
    """Those of these merchants whose verified licence ended before today are verified no longer."""
    rows = await tx.fetch(
        f"""with held as (select merchant_id as id from merchants where merchant_id = any($1::uuid[])
                          order by merchant_id for no key update)
            update merchants set version = version + 1, {_STANDS.format("'REJECTED'")}, reason = $3, reason_code = $4,
                decided_by = null, decided_at = $5
            from held where merchant_id = held.id and standing = 'VERIFIED' and licence_expires_on < $2
            returning {MERCHANT_COLUMNS}""",
        list(merchant_ids),
        today,
        why.text,
        why.code,
        tx.now,
    )
    return [merchant_of(row) for row in rows]


async def open_group_buy(tx: Transaction, merchant_id: UUID, owner: str) -> Merchant | None:
    """The merchant may create deals from now on; None when it already may, or a step before is not done."""
    return _one(
        await tx.row(
            f"""update merchants m set opened_at = $2, opened_by = $3
                where merchant_id = $1 and opened_at is null and account_kind = 'ENTERPRISE_VERIFIED'
                  and state = 'VERIFIED'
                  and exists (select from merchant_fees f where f.merchant_id = m.merchant_id
                              and f.kind = 'VERIFICATION' and f.state in ('PAID', 'WAIVED'))
                  and exists (select from payout_accounts p where p.merchant_id = m.merchant_id
                              and p.state = 'VERIFIED')
                returning {MERCHANT_COLUMNS}""",
            merchant_id,
            tx.now,
            owner,
        )
    )


async def suspend(
    tx: Transaction, merchant_id: UUID, reason: str, operator: str, version: int | None
) -> Merchant | None:
    """Stop a merchant, whatever its state; None when it is stopped already, or another version is there."""
    return _one(
        await tx.row(
            f"""update merchants set version = version + 1, suspended_from = state, state = 'SUSPENDED',
                    suspension_reason = $2, suspension_by = $3, suspension_at = $4
                where merchant_id = $1 and state <> 'SUSPENDED' and ($5::bigint is null or version = $5)
                returning {MERCHANT_COLUMNS}""",
            merchant_id,
            reason,
            operator,
            tx.now,
            version,
        )
    )


async def lift_suspension(
    tx: Transaction, merchant_id: UUID, reason: str | None, operator: str, version: int | None
) -> Merchant | None:
    """Back to where the merchant stands; None when it is not suspended, or another version is there."""
    return _one(
        await tx.row(
            f"""update merchants set version = version + 1, state = suspended_from, suspended_from = null,
                    suspension_reason = $2, suspension_by = $3, suspension_at = $4
                where merchant_id = $1 and state = 'SUSPENDED' and ($5::bigint is null or version = $5)
                returning {MERCHANT_COLUMNS}""",
            merchant_id,
            reason,
            operator,
            tx.now,
            version,
        )
    )


async def merchant(tx: Transaction, merchant_id: UUID) -> Merchant | None:
    """One merchant."""
    return _one(await tx.row(f"select {MERCHANT_COLUMNS} from merchants where merchant_id = $1", merchant_id))


async def held_merchant(tx: Transaction, merchant_id: UUID) -> Merchant | None:
    """One merchant, which stays as it is until this transaction ends."""
    return _one(await tx.row(f"select {MERCHANT_COLUMNS} from merchants where merchant_id = $1 for share", merchant_id))


async def merchants_by_id(tx: Transaction, merchant_ids: Collection[UUID]) -> dict[UUID, Merchant]:
    """These merchants by id."""
    rows = await tx.fetch(
        f"select {MERCHANT_COLUMNS} from merchants where merchant_id = any($1::uuid[])", list(merchant_ids)
    )
    return {row["merchant_id"]: merchant_of(row) for row in rows}


async def lock_merchant(tx: Transaction, merchant_id: UUID) -> None:
    """Let changes of one merchant's staff, or of its support, take turns."""
    await tx.execute("select from merchants where merchant_id = $1 for no key update", merchant_id)


async def may_sell(tx: Transaction, merchant_id: UUID) -> tuple[bool, bool]:
    """Whether merchant and payout account are verified; both stay so until this transaction ends."""
    verified = await tx.value("select state = 'VERIFIED' from merchants where merchant_id = $1 for share", merchant_id)
    payable = await tx.value(
        "select state = 'VERIFIED' from payout_accounts where merchant_id = $1 for share", merchant_id
    )
    return bool(verified), bool(payable)


async def is_opened(tx: Transaction, merchant_id: UUID) -> bool:
    """Whether the merchant may create deals, which it may for good once group-buy was opened."""
    return bool(await tx.value("select opened_at is not null from merchants where merchant_id = $1", merchant_id))


async def store_progress(tx: Transaction, merchant_id: UUID) -> Progress:
    """How far the merchant's store claims are."""
    row = await tx.row(
        """select count(*) filter (where state = 'APPROVED') as done,
                  count(*) filter (where state in ('CLAIMED', 'APPEALED')) as waiting,
                  (array_agg(reason order by number desc) filter (where state in ('REJECTED', 'LOST')))[1]
                      as rejected_because
           from store_claims where merchant_id = $1""",
        merchant_id,
    )
    assert row is not None
    return Progress(**dict(row))


async def deal_progress(tx: Transaction, merchant_id: UUID) -> Progress:
    """How far the merchant's deals are."""
    row = await tx.row(
        """select count(*) filter (where deal_version > 0) as done,
                  count(*) filter (where draft_state = 'IN_REVIEW') as waiting,
                  (array_agg(reason order by submitted_at desc) filter (where draft_state = 'REJECTED'))[1]
                      as rejected_because,
                  (array_agg(reason_template order by submitted_at desc) filter (where draft_state = 'REJECTED'))[1]
                      as rejected_template
           from deals where merchant_id = $1""",
        merchant_id,
    )
    assert row is not None
    return Progress(**dict(row))
