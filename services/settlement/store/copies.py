"""Copies of what catalog says of merchants and their payout accounts, newest version kept whatever the order."""

from uuid import UUID

from shared.contracts.catalog import MerchantChanged, MerchantState, PayoutAccountChanged, PayoutAccountState
from shared.database import Transaction


async def keep_merchant(tx: Transaction, event: MerchantChanged) -> None:
    """Keep a merchant's name and state."""
    await tx.execute(
        """insert into merchants (merchant_id, version, name, state) values ($1, $2, $3, $4)
           on conflict (merchant_id) do update set version = excluded.version, name = excluded.name,
             state = excluded.state
           where merchants.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.name,
        event.state.value,
    )


async def keep_payout_account(tx: Transaction, event: PayoutAccountChanged) -> None:
    """Keep where a merchant's money goes; the account itself stays sealed."""
    await tx.execute(
        """insert into payout_accounts (merchant_id, version, state, rail, sub_merchant_id, sealed_account,
             sealed_holder)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (merchant_id) do update set version = excluded.version, state = excluded.state,
             rail = excluded.rail, sub_merchant_id = excluded.sub_merchant_id,
             sealed_account = excluded.sealed_account, sealed_holder = excluded.sealed_holder
           where payout_accounts.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.state.value,
        event.rail.value,
        event.sub_merchant_id,
        event.sealed_account,
        event.sealed_holder,
    )


async def why_not_paid(tx: Transaction, merchant_id: UUID) -> str | None:
    """What keeps a merchant from being paid now: `merchant_suspended`, `merchant_not_verified`,
    `payout_account_not_verified`, or nothing."""
    row = await tx.row(
        """select (select state from merchants where merchant_id = $1) as merchant,
                  (select state from payout_accounts where merchant_id = $1) as account""",
        merchant_id,
    )
    assert row is not None
    if row["merchant"] == MerchantState.SUSPENDED:
        return "merchant_suspended"
    if row["merchant"] != MerchantState.VERIFIED:
        return "merchant_not_verified"
    return None if row["account"] == PayoutAccountState.VERIFIED else "payout_account_not_verified"
