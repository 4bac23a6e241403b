"""Payout accounts in the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog.domain.checklist import Found
from services.catalog.domain.payout_accounts import AccountHolder, PayoutAccount, PayoutAccountKind
from shared.contracts.catalog import PayoutAccountState, Rail
from shared.database import Row, Transaction

ACCOUNT_COLUMNS = """merchant_id, version, kind, holder_name, real_name_verified, masked_account, sealed_for_settlement,
sealed_holder_for_settlement, state, rail, sub_merchant_id, reason, failure_code, reason_code"""


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """An account text as it is kept: for catalog, for settlement (with its holder), for comparison, and for people."""

    for_catalog: str
    for_settlement: str
    holder_for_settlement: str
    lookup: bytes
    masked: str


def account_of(row: Row) -> PayoutAccount:
    """The account in a row that has ACCOUNT_COLUMNS."""
    return PayoutAccount(
        merchant_id=row["merchant_id"],
        version=row["version"],
        holder=AccountHolder(PayoutAccountKind(row["kind"]), row["holder_name"], row["real_name_verified"]),
        masked_account=row["masked_account"],
        sealed_for_settlement=row["sealed_for_settlement"],
        sealed_holder_for_settlement=row["sealed_holder_for_settlement"],
        state=PayoutAccountState(row["state"]),
        rail=Rail(row["rail"]),
        sub_merchant_id=row["sub_merchant_id"],
        reason=row["reason"],
        failure_code=row["failure_code"],
        reason_code=row["reason_code"],
    )


async def submit_account(
    tx: Transaction, merchant_id: UUID, holder: AccountHolder, account: SealedAccount
) -> PayoutAccount | None:
    """The account now waits for a decision; None when exactly this one already waits or is verified."""
    row = await tx.row(
        f"""insert into payout_accounts as a (merchant_id, version, kind, holder_name, real_name_verified,
                sealed_account, sealed_for_settlement, account_lookup, masked_account, state, rail, submitted_at,
                sealed_holder_for_settlement)
            values ($1, 1, $2, $3, $4, $5, $6, $7, $8, 'SUBMITTED', 'ZHIFUTONG', $9, $10)
            on conflict (merchant_id) do update set version = a.version + 1, kind = excluded.kind,
                holder_name = excluded.holder_name, real_name_verified = excluded.real_name_verified,
                sealed_account = excluded.sealed_account, sealed_for_settlement = excluded.sealed_for_settlement,
                sealed_holder_for_settlement = excluded.sealed_holder_for_settlement,
                account_lookup = excluded.account_lookup, masked_account = excluded.masked_account,
                state = 'SUBMITTED', rail = excluded.rail, sub_merchant_id = null, reason = null, failure_code = null,
                reason_code = null, submitted_at = excluded.submitted_at, decided_by = null, decided_at = null
            where a.state = 'REJECTED'
               or (a.kind, a.holder_name, a.real_name_verified, a.account_lookup)
                  is distinct from
                  (excluded.kind, excluded.holder_name, excluded.real_name_verified, excluded.account_lookup)
            returning {ACCOUNT_COLUMNS}""",
        merchant_id,
        holder.kind.value,
        holder.holder_name,
        holder.real_name_verified,
        account.for_catalog,
        account.for_settlement,
        account.lookup,
        account.masked,
        tx.now,
        account.holder_for_settlement,
    )
    return account_of(row) if row else None


async def approve_account(
    tx: Transaction, merchant_id: UUID, rail: Rail, sub_merchant_id: str | None, operator: str, version: int | None
) -> PayoutAccount | None:
    """The waiting account is verified, or None when nothing (or another version) waits."""
    row = await tx.row(
        f"""update payout_accounts set version = version + 1, state = 'VERIFIED', rail = $2, sub_merchant_id = $3,
                decided_by = $4, decided_at = $5
            where merchant_id = $1 and state = 'SUBMITTED' and ($6::bigint is null or version = $6)
            returning {ACCOUNT_COLUMNS}""",
        merchant_id,
        rail.value,
        sub_merchant_id,
        operator,
        tx.now,
        version,
    )
    return account_of(row) if row else None


async def reject_account(
    tx: Transaction, merchant_id: UUID, reason: str, operator: str, version: int | None
) -> PayoutAccount | None:
    """The waiting account is rejected, or None when nothing (or another version) waits."""
    row = await tx.row(
        f"""update payout_accounts set version = version + 1, state = 'REJECTED', reason = $2, decided_by = $3,
                decided_at = $4
            where merchant_id = $1 and state = 'SUBMITTED' and ($5::bigint is null or version = $5)
            returning {ACCOUNT_COLUMNS}""",
        merchant_id,
        reason,
        operator,
        tx.now,
        version,
    )
    return account_of(row) if row else None


async def reopen_account(tx: Transaction, merchant_id: UUID, code: str, failed_at: datetime) -> PayoutAccount | None:
    """A verified account needs another look; None when it was verified after the failure, or is not verified."""
    row = await tx.row(
        f"""update payout_accounts set version = version + 1, state = 'REJECTED', failure_code = $2
            where merchant_id = $1 and state = 'VERIFIED' and decided_at <= $3
            returning {ACCOUNT_COLUMNS}""",
        merchant_id,
        code,
        failed_at,
    )
    return account_of(row) if row else None


async def refuse_account(tx: Transaction, account: PayoutAccount, why: Found, operator: str) -> PayoutAccount | None:
    """The account is not allowed any more; None when it changed since it was read."""
    row = await tx.row(
        f"""update payout_accounts set version = version + 1, state = 'REJECTED', reason = $3, reason_code = $4,
                failure_code = null, decided_by = $5, decided_at = $6
            where merchant_id = $1 and version = $2 and state <> 'REJECTED'
            returning {ACCOUNT_COLUMNS}""",
        account.merchant_id,
        account.version,
        why.text,
        why.code,
        operator,
        tx.now,
    )
    return account_of(row) if row else None


async def locked_account(tx: Transaction, merchant_id: UUID) -> PayoutAccount | None:
    """A merchant's account, if it has one, for a decision in this transaction."""
    row = await tx.row(
        f"select {ACCOUNT_COLUMNS} from payout_accounts where merchant_id = $1 for no key update", merchant_id
    )
    return account_of(row) if row else None


async def payout_account(tx: Transaction, merchant_id: UUID) -> PayoutAccount | None:
    """A merchant's account, if it has one."""
    row = await tx.row(f"select {ACCOUNT_COLUMNS} from payout_accounts where merchant_id = $1", merchant_id)
    return account_of(row) if row else None
