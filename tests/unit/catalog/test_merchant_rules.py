"""Who may become a merchant, and what the checklist says on the way."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.catalog.domain.checklist import (
    ChecklistStep,
    Progress,
    Step,
    StepState,
    checklist,
    why_not_ready,
)
from services.catalog.domain.fees import Fee, FeeKind, FeeState
from services.catalog.domain.merchants import AccountKind, Application, Licence, Merchant, check_application
from services.catalog.domain.payout_accounts import AccountHolder, LicenceKind, PayoutAccount, PayoutAccountKind
from services.catalog.domain.refusals import OpeningNotReady
from shared.contracts.catalog import MerchantState, PayoutAccountState, Rail
from shared.errors import DomainError

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # already the 23rd in Shanghai
LICENCE = Licence(
    licence_kind=LicenceKind.ENTERPRISE,
    licence_no="91500103MA5U000000",
    subject_name="重庆老码头餐饮有限公司",
    legal_person="张三",
    licence_expires_on=date(2030, 1, 1),
    licence_evidence="licence-scan-0",
)
APPLICATION = Application("老码头火锅", "023-63001234", AccountKind.ENTERPRISE_VERIFIED, LICENCE)
MERCHANT = Merchant(UUID(int=1), 1, APPLICATION, MerchantState.VERIFIED, opened_at=NOW)
UNOPENED = replace(MERCHANT, opened_at=None)
SUSPENDED = replace(
    MERCHANT, state=MerchantState.SUSPENDED, suspended_from=MerchantState.VERIFIED, suspension_reason="x"
)
ACCOUNT = PayoutAccount(
    merchant_id=UUID(int=1),
    version=1,
    holder=AccountHolder(PayoutAccountKind.ENTERPRISE, LICENCE.subject_name, real_name_verified=True),
    masked_account="fi****@laomatou.example",
    sealed_for_settlement="sealed",
    state=PayoutAccountState.VERIFIED,
    rail=Rail.ZHIFUTONG,
    sub_merchant_id="2088",
    reason=None,
    failure_code=None,
)
FAILED = replace(ACCOUNT, state=PayoutAccountState.REJECTED, failure_code="ACQ.X")
REFUSED = replace(ACCOUNT, state=PayoutAccountState.REJECTED, reason="x")
PAID = Fee(FeeKind.VERIFICATION, 60_000, FeeState.PAID, "bank-1")
DUE = Fee(FeeKind.VERIFICATION, 60_000, FeeState.DUE, None)
ONE = Progress(1)


def steps_of(
    merchant: Merchant = MERCHANT,
    fee: Fee = PAID,
    account: PayoutAccount | None = ACCOUNT,
    stores: Progress = ONE,
    deals: Progress = ONE,
) -> tuple[ChecklistStep, ...]:
    return checklist(merchant, fee, account, stores, deals, NOW)


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
    licence = replace(LICENCE, licence_expires_on=expires_on)
    application = replace(APPLICATION, account_kind=account_kind, licence=licence)
    if refusal is None:
        check_application(application, NOW)
        return
    with pytest.raises(DomainError) as refused:
        check_application(application, NOW)
    assert refused.value.code == refusal


def test_everything_done_leaves_no_reason() -> None:
    steps = steps_of(deals=Progress(done=2, waiting=1))
    assert [step.step for step in steps] == list(Step)
    assert {(step.state, step.reason_zh, step.reason_en) for step in steps} == {(StepState.DONE, "", "")}


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        (steps_of(replace(UNOPENED, state=MerchantState.APPLIED), DUE, None), "DONE OPEN OPEN OPEN OPEN DONE DONE"),
        (
            steps_of(replace(MERCHANT, state=MerchantState.REJECTED, reason="x"), account=None),
            "DONE REFUSED DONE OPEN DONE DONE DONE",
        ),
        (steps_of(SUSPENDED), "DONE REFUSED DONE DONE DONE DONE DONE"),
        (steps_of(UNOPENED), "DONE DONE DONE DONE OPEN DONE DONE"),
        (steps_of(account=FAILED), "DONE DONE DONE REFUSED DONE DONE DONE"),
        (steps_of(account=REFUSED), "DONE DONE DONE REFUSED DONE DONE DONE"),
        (
            steps_of(account=replace(ACCOUNT, state=PayoutAccountState.SUBMITTED)),
            "DONE DONE DONE OPEN DONE DONE DONE",
        ),
        (steps_of(stores=Progress(), deals=Progress()), "DONE DONE DONE DONE DONE OPEN OPEN"),
        (steps_of(stores=Progress(0, 1, "x"), deals=Progress(0, 1)), "DONE DONE DONE DONE DONE OPEN OPEN"),
        (steps_of(stores=Progress(0, 0, "x"), deals=Progress(0, 0, "x")), "DONE DONE DONE DONE DONE REFUSED REFUSED"),
        (
            steps_of(replace(MERCHANT, application=replace(APPLICATION, account_kind=AccountKind.ENTERPRISE_TRIAL))),
            "REFUSED DONE DONE DONE DONE DONE DONE",
        ),
    ],
)
def test_every_step_that_is_not_done_says_why_in_both_languages(steps: tuple[ChecklistStep, ...], states: str) -> None:
    assert [step.state.value for step in steps] == states.split()
    assert all(bool(step.reason_zh and step.reason_en) is (step.state is not StepState.DONE) for step in steps)


@pytest.mark.parametrize(
    ("expires_on", "warned"),
    [(date(2026, 12, 9), False), (date(2026, 12, 8), True), (date(2026, 11, 23), True)],
)
def test_a_licence_warns_from_fifteen_days_before_its_end_and_still_holds(expires_on: date, warned: bool) -> None:
    licence = replace(LICENCE, licence_expires_on=expires_on)
    step = steps_of(replace(MERCHANT, application=replace(APPLICATION, licence=licence)))[1]
    assert (step.step, step.state) == (Step.ENTERPRISE_VERIFICATION, StepState.DONE)
    assert bool(step.reason_zh and step.reason_en) is warned
    assert (expires_on.isoformat() in step.reason_zh) is warned


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [("licence_expired", "营业执照已过期", "licence has expired"), (None, "照片模糊", "照片模糊")],
)
def test_what_the_platform_found_is_said_in_both_languages_and_what_an_operator_wrote_as_it_is(
    code: str | None, zh: str, en: str
) -> None:
    step = steps_of(replace(MERCHANT, state=MerchantState.REJECTED, reason="照片模糊", reason_code=code))[1]
    assert zh in step.reason_zh
    assert en in step.reason_en


def test_a_refused_account_says_which_rule_refused_it() -> None:
    step = steps_of(account=replace(REFUSED, reason_code="subject_mismatch"))[3]
    assert step.reason_zh == "企业支付宝主体与认证主体不一致"
    assert "another subject" in step.reason_en


@pytest.mark.parametrize(
    ("steps", "first"),
    [
        (steps_of(replace(UNOPENED, state=MerchantState.APPLIED), DUE, None), "ENTERPRISE_VERIFICATION"),
        (steps_of(SUSPENDED, DUE, None), "ENTERPRISE_VERIFICATION"),
        (steps_of(UNOPENED, DUE, None), "VERIFICATION_FEE"),
        (steps_of(UNOPENED, PAID, None), "PAYOUT_ACCOUNT"),
        (steps_of(UNOPENED, PAID, FAILED), "PAYOUT_ACCOUNT"),
        (
            steps_of(replace(UNOPENED, application=replace(APPLICATION, account_kind=AccountKind.ORDINARY)), DUE),
            "ACCOUNT_KIND",
        ),
        (steps_of(UNOPENED, stores=Progress(), deals=Progress()), None),
    ],
)
def test_the_first_open_step_of_the_four_keeps_group_buy_closed(
    steps: tuple[ChecklistStep, ...], first: str | None
) -> None:
    refusal = why_not_ready(steps)
    assert (refusal.facts["step"] if refusal else None) == first


def test_the_refusal_to_open_is_one_sentence_in_each_language() -> None:
    refusal = why_not_ready(steps_of(UNOPENED, DUE))
    assert isinstance(refusal, OpeningNotReady)
    assert refusal.text("zh") == "还不能开通团购，请先完成「认证审核费」：等待缴纳认证审核费 600 元"
    assert refusal.text("en") == (
        "Group-buy cannot be opened yet; first comes 'the verification fee': "
        "The verification fee of 600 yuan is not paid yet"
    )


def test_a_rejected_first_deal_shows_the_reason_of_the_list_in_both_languages() -> None:
    rejected = Progress(rejected_because="太暗", rejected_template="PICTURE_UNFIT")
    step = steps_of(deals=rejected)[-1]
    assert (step.reason_zh, step.reason_en) == ("图片不符合要求：太暗", "The picture is unfit: 太暗")
