"""Carrier accounts that must not get new orders: their balance is short, or the carrier refuses their signature."""

from dataclasses import dataclass
from datetime import datetime

from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class AccountAlert:
    provider: str
    account: str
    balance_short_since: datetime | None
    disabled_since: datetime | None
    reason: str


async def mark_short(tx: Transaction, provider: str, account: str, reason: str) -> bool:
    """No money is left on the account; True the first time."""
    return await _mark(tx, "balance_short_since", provider, account, reason)


async def disable(tx: Transaction, provider: str, account: str, reason: str) -> bool:
    """The carrier does not know us any more; True the first time."""
    return await _mark(tx, "disabled_since", provider, account, reason)


async def _mark(tx: Transaction, column: str, provider: str, account: str, reason: str) -> bool:
    return (
        await tx.execute(
            f"""insert into carrier_accounts (provider, account, {column}, reason) values ($1, $2, $3, $4)
                on conflict (provider, account) do update set {column} = $3, reason = $4
                where carrier_accounts.{column} is null""",
            provider,
            account,
            tx.now,
            reason,
        )
        == 1
    )


async def clear(tx: Transaction, provider: str, account: str) -> None:
    """The account was topped up, or its key was set right: it may be given orders again."""
    await tx.execute("delete from carrier_accounts where provider = $1 and account = $2", provider, account)


async def alerts(tx: Transaction) -> list[AccountAlert]:
    """Every account that is left out now."""
    rows = await tx.fetch(
        """select provider, account, balance_short_since, disabled_since, reason from carrier_accounts
           order by provider, account limit 500"""
    )
    return [AccountAlert(**dict(row)) for row in rows]
