"""Merchants in the database."""

from collections.abc import Collection
from uuid import UUID

from services.catalog.domain.merchants import AccountKind, Application, Merchant, Progress
from services.catalog.domain.payout_accounts import LicenceKind
from shared.contracts.catalog import MerchantState
from shared.database import Row, Transaction

_COLUMNS = """merchant_id, version, name, phone, account_kind, licence_kind, licence_no, subject_name, legal_person,
licence_expires_on, state, reason"""


def _merchant(row: Row) -> Merchant:
    return Merchant(
        merchant_id=row["merchant_id"],
        version=row["version"],
        application=Application(
            name=row["name"],
            phone=row["phone"],
            account_kind=AccountKind(row["account_kind"]),
            licence_kind=LicenceKind(row["licence_kind"]),
            licence_no=row["licence_no"],
            subject_name=row["subject_name"],
            legal_person=row["legal_person"],
            licence_expires_on=row["licence_expires_on"],
        ),
        state=MerchantState(row["state"]),
        reason=row["reason"],
    )


def _values(application: Application) -> tuple[object, ...]:
    return (
        application.name,
        application.phone,
        application.account_kind.value,
        application.licence_kind.value,
        application.licence_no,
        application.subject_name,
        application.legal_person,
        application.licence_expires_on,
    )


async def add_merchant(tx: Transaction, merchant_id: UUID, application: Application, applicant: str) -> Merchant | None:
    """A new application, or None when the id is in use."""
    row = await tx.row(
        f"""insert into merchants (merchant_id, version, name, phone, account_kind, licence_kind, licence_no,
                subject_name, legal_person, licence_expires_on, state, applied_by, applied_at)
            values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, 'APPLIED', $10, $11)
            on conflict (merchant_id) do nothing returning {_COLUMNS}""",
        merchant_id,
        *_values(application),
        applicant,
        tx.now,
    )
    return _merchant(row) if row else None


async def apply_again(tx: Transaction, merchant_id: UUID, application: Application, applicant: str) -> Merchant | None:
    """A rejected merchant's new application, or None when it is not rejected."""
    row = await tx.row(
        f"""update merchants set version = version + 1, name = $2, phone = $3, account_kind = $4, licence_kind = $5,
                licence_no = $6, subject_name = $7, legal_person = $8, licence_expires_on = $9, state = 'APPLIED',
                reason = null, applied_by = $10, applied_at = $11, decided_by = null, decided_at = null
            where merchant_id = $1 and state = 'REJECTED' returning {_COLUMNS}""",
        merchant_id,
        *_values(application),
        applicant,
        tx.now,
    )
    return _merchant(row) if row else None


async def decide_application(
    tx: Transaction, merchant_id: UUID, state: MerchantState, reason: str | None, operator: str, version: int | None
) -> Merchant | None:
    """The operator's decision on a waiting application, or None when nothing (or another version) waits."""
    row = await tx.row(
        f"""update merchants set version = version + 1, state = $2, reason = $3, decided_by = $4, decided_at = $5
            where merchant_id = $1 and state = 'APPLIED' and ($6::bigint is null or version = $6)
            returning {_COLUMNS}""",
        merchant_id,
        state.value,
        reason,
        operator,
        tx.now,
        version,
    )
    return _merchant(row) if row else None


async def merchant(tx: Transaction, merchant_id: UUID) -> Merchant | None:
    """One merchant."""
    row = await tx.row(f"select {_COLUMNS} from merchants where merchant_id = $1", merchant_id)
    return _merchant(row) if row else None


async def merchants_by_id(tx: Transaction, merchant_ids: Collection[UUID]) -> dict[UUID, Merchant]:
    """These merchants by id."""
    rows = await tx.fetch(f"select {_COLUMNS} from merchants where merchant_id = any($1::uuid[])", list(merchant_ids))
    return {row["merchant_id"]: _merchant(row) for row in rows}


async def lock_merchant(tx: Transaction, merchant_id: UUID) -> None:
    """Let changes of one merchant's staff take turns."""
    await tx.execute("select from merchants where merchant_id = $1 for no key update", merchant_id)


async def may_sell(tx: Transaction, merchant_id: UUID) -> tuple[bool, bool]:
    """Whether merchant and payout account are verified; both stay so until this transaction ends."""
    verified = await tx.value("select state = 'VERIFIED' from merchants where merchant_id = $1 for share", merchant_id)
    payable = await tx.value(
        "select state = 'VERIFIED' from payout_accounts where merchant_id = $1 for share", merchant_id
    )
    return bool(verified), bool(payable)


async def waiting_merchants(tx: Transaction, limit: int) -> list[Merchant]:
    """Applications without a decision, oldest first."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from merchants where state = 'APPLIED' order by applied_at, merchant_id limit $1", limit
    )
    return [_merchant(row) for row in rows]


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
                      as rejected_because
           from deals where merchant_id = $1""",
        merchant_id,
    )
    assert row is not None
    return Progress(**dict(row))
