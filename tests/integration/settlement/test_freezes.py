"""Payouts freeze while the merchant or the account is not verified, and go on, once, when both are again."""

from collections.abc import Awaitable, Callable

import pytest

from services.settlement.store.copies import why_not_paid
from shared.contracts.catalog import MerchantState, PayoutAccountState
from tests.integration.settlement.stage import UNKNOWN, Merchant, Stage

Change = Callable[[Stage, Merchant, int], Awaitable[None]]


def merchant_is(state: MerchantState) -> Change:
    return lambda stage, merchant, version: stage.set_merchant(merchant, state, version)


def account_is(state: PayoutAccountState) -> Change:
    return lambda stage, merchant, version: stage.set_account(merchant, state, version)


MERCHANT_STOPS = [
    pytest.param(
        merchant_is(MerchantState.SUSPENDED), merchant_is(MerchantState.VERIFIED), "merchant_suspended", id="suspended"
    ),
    pytest.param(
        merchant_is(MerchantState.APPLIED),
        merchant_is(MerchantState.VERIFIED),
        "merchant_not_verified",
        id="the licence changed",
    ),
    pytest.param(
        merchant_is(MerchantState.REJECTED),
        merchant_is(MerchantState.VERIFIED),
        "merchant_not_verified",
        id="the new licence is rejected",
    ),
]
STOPS = [
    *MERCHANT_STOPS,
    pytest.param(
        account_is(PayoutAccountState.SUBMITTED),
        account_is(PayoutAccountState.VERIFIED),
        "payout_account_not_verified",
        id="the account is submitted again",
    ),
    pytest.param(
        account_is(PayoutAccountState.REJECTED),
        account_is(PayoutAccountState.VERIFIED),
        "payout_account_not_verified",
        id="the account is rejected",
    ),
]


async def _held_back(stage: Stage, merchant: Merchant) -> str | None:
    found = await stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    reason: str | None = found["held_back"]
    return reason


@pytest.mark.parametrize(("freeze", "lift", "reason"), STOPS)
async def test_nothing_is_claimed_while_frozen_and_everything_once_when_it_is_lifted(
    stage: Stage, freeze: Change, lift: Change, reason: str
) -> None:
    merchant = await stage.merchant()
    before, during = await stage.pay(merchant), await stage.pay(merchant, 6_400)
    await stage.use(before)
    await freeze(stage, merchant, 2)
    await stage.use(during)

    await stage.settle(merchant)
    await stage.settle(merchant)
    assert (await stage.states(before), await stage.states(during)) == (["FINAL"], ["FINAL"])
    assert await _held_back(stage, merchant) == reason

    await lift(stage, merchant, 3)
    assert await _held_back(stage, merchant) is None
    await stage.settle(merchant)
    await stage.settle(merchant)

    assert (await stage.states(before), await stage.states(during)) == (["PAID"], ["PAID"])
    assert sorted(stage.rail.paid.values()) == [6_400, 12_800]
    assert len(stage.rail.calls) == 2
    assert await stage.misfits() == []


@pytest.mark.parametrize(("freeze", "lift", "reason"), STOPS)
async def test_what_was_claimed_before_waits_unsent_and_goes_to_the_payee_it_names(
    stage: Stage, freeze: Change, lift: Change, reason: str
) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    (claimed,) = await stage.instructions(merchant)

    await freeze(stage, merchant, 2)
    await stage.send_all(merchant)
    (waiting,) = await stage.instructions(merchant)
    assert (waiting["state"], waiting["attempts"], stage.rail.calls) == ("DUE", 0, [])
    assert await _held_back(stage, merchant) == reason
    assert await stage.misfits() == []

    await lift(stage, merchant, 3)
    await stage.settle(merchant)
    (paid,) = await stage.instructions(merchant)
    assert (paid["state"], stage.rail.calls) == ("PAID", [claimed["instruction_id"].hex])
    assert paid["sub_merchant_id"] == claimed["sub_merchant_id"]
    assert await stage.states(order) == ["PAID"]


@pytest.mark.parametrize(("freeze", "lift", "reason"), MERCHANT_STOPS)
async def test_an_unknown_payment_is_not_repeated_for_a_merchant_who_is_not_verified(
    stage: Stage, freeze: Change, lift: Change, reason: str
) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [UNKNOWN]
    await stage.settle(merchant)

    await freeze(stage, merchant, 2)
    await stage.send_all(merchant)
    assert len(stage.rail.calls) == 1
    assert await _held_back(stage, merchant) == reason

    await lift(stage, merchant, 3)
    await stage.send_all(merchant)
    assert len(set(stage.rail.calls)) == 1
    assert await stage.states(order) == ["PAID"]


async def test_an_old_copy_of_a_merchant_does_not_lift_a_freeze(stage: Stage) -> None:
    merchant = await stage.merchant()
    await stage.set_merchant(merchant, MerchantState.APPLIED, version=3)
    await stage.set_merchant(merchant, MerchantState.VERIFIED, version=2)
    order = await stage.pay(merchant)
    await stage.use(order)
    await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL"]


async def test_of_several_reasons_the_gravest_is_named(stage: Stage) -> None:
    merchant = await stage.merchant(account=PayoutAccountState.SUBMITTED)
    reasons = []
    for version, state in enumerate((MerchantState.SUSPENDED, MerchantState.APPLIED, MerchantState.VERIFIED), start=2):
        await stage.set_merchant(merchant, state, version)
        reasons.append(await _held_back(stage, merchant))
    assert reasons == ["merchant_suspended", "merchant_not_verified", "payout_account_not_verified"]


async def test_a_merchant_nobody_has_told_of_is_not_verified(stage: Stage) -> None:
    async with stage.db.transaction(read_only=True) as tx:
        assert await why_not_paid(tx, Merchant().merchant_id) == "merchant_not_verified"
