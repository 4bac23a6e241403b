"""Who may become a merchant, and what the checklist says on the way."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.catalog.domain.merchants import (
    AccountKind,
    Application,
    Merchant,
    Progress,
    Step,
    StepState,
    check_application,
    checklist,
)
from services.catalog.domain.payout_accounts import AccountHolder, LicenceKind, PayoutAccount, PayoutAccountKind
from shared.contracts.catalog import MerchantState, PayoutAccountState, Rail
from shared.errors import DomainError

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # already the 23rd in Shanghai
APPLICATION = Application(
    name="老码头火锅",
    phone="023-63001234",
    account_kind=AccountKind.ENTERPRISE_VERIFIED,
    licence_kind=LicenceKind.ENTERPRISE,
    licence_no="91500103MA5U000000",
    subject_name="重庆老码头餐饮有限公司",
    legal_person="张三",
    licence_expires_on=date(2030, 1, 1),
)
MERCHANT = Merchant(UUID(int=1), 1, APPLICATION, MerchantState.VERIFIED, None)
ACCOUNT = PayoutAccount(
    merchant_id=UUID(int=1),
    version=1,
    holder=AccountHolder(PayoutAccountKind.ENTERPRISE, APPLICATION.subject_name, real_name_verified=True),
    masked_account="fi****@laomatou.example",
    sealed_for_settlement="sealed",
    state=PayoutAccountState.VERIFIED,
    rail=Rail.ZHIFUTONG,
    sub_merchant_id="2088",
    reason=None,
    failure_code=None,
)


@pytest.mark.parametrize(
    ("account_kind", "expires_on", "refusal"),
    [
        (AccountKind.ENTERPRISE_VERIFIED, date(2026, 12, 9), None),
        (AccountKind.ENTERPRISE_VERIFIED, date(2026, 12, 8), "licence_expires_soon"),
        (AccountKind.ENTERPRISE_VERIFIED, date(2020, 1, 1), "licence_expires_soon"),
        (AccountKind.ENTERPRISE_TRIAL, date(2030, 1, 1), "account_trial"),
        (AccountKind.ORDINARY, date(2030, 1, 1), "account_not_enterprise"),
    ],
)
def test_a_verified_enterprise_account_with_more_than_fifteen_days_of_licence_may_apply(
    account_kind: AccountKind, expires_on: date, refusal: str | None
) -> None:
    application = replace(APPLICATION, account_kind=account_kind, licence_expires_on=expires_on)
    if refusal is None:
        check_application(application, NOW)
        return
    with pytest.raises(DomainError) as refused:
        check_application(application, NOW)
    assert refused.value.code == refusal


def test_everything_done_leaves_no_reason() -> None:
    steps = checklist(MERCHANT, ACCOUNT, Progress(done=1), Progress(done=2, waiting=1))
    assert [step.step for step in steps] == list(Step)
    assert {(step.state, step.reason_zh, step.reason_en) for step in steps} == {(StepState.DONE, "", "")}


@pytest.mark.parametrize(
    ("merchant", "account", "stores", "states"),
    [
        (replace(MERCHANT, state=MerchantState.APPLIED), None, Progress(), "OPEN OPEN OPEN"),
        (replace(MERCHANT, state=MerchantState.REJECTED, reason="x"), None, Progress(), "REFUSED OPEN OPEN"),
        (replace(MERCHANT, state=MerchantState.SUSPENDED, reason="x"), ACCOUNT, Progress(1), "REFUSED DONE DONE"),
        (MERCHANT, replace(ACCOUNT, state=PayoutAccountState.SUBMITTED), Progress(0, 1), "DONE OPEN OPEN"),
        (
            MERCHANT,
            replace(ACCOUNT, state=PayoutAccountState.REJECTED, reason="x"),
            Progress(0, 0, "x"),
            "DONE REFUSED REFUSED",
        ),
        (
            MERCHANT,
            replace(ACCOUNT, state=PayoutAccountState.REJECTED, failure_code="ACQ.X"),
            Progress(0, 1, "x"),
            "DONE REFUSED OPEN",
        ),
    ],
)
def test_every_step_that_is_not_done_says_why_in_both_languages(
    merchant: Merchant, account: PayoutAccount | None, stores: Progress, states: str
) -> None:
    steps = checklist(merchant, account, stores, Progress())
    assert [step.state.value for step in steps[:3]] == states.split()
    assert all(bool(step.reason_zh and step.reason_en) is (step.state is not StepState.DONE) for step in steps)


def test_a_rejected_first_deal_shows_the_reason_of_the_list_in_both_languages() -> None:
    rejected = Progress(rejected_because="太暗", rejected_template="PICTURE_UNFIT")
    step = checklist(MERCHANT, ACCOUNT, Progress(done=1), rejected)[-1]
    assert (step.reason_zh, step.reason_en) == ("图片不符合要求：太暗", "The picture is unfit: 太暗")
