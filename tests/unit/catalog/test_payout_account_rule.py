"""Which Alipay account a merchant may be paid to."""

import pytest

from services.catalog.domain.payout_accounts import (
    AccountHolder,
    LicenceKind,
    PayoutAccountKind,
    VerifiedSubject,
    masked_account,
    why_account_refused,
)

COMPANY, PERSON = "重庆老码头餐饮有限公司", "张三"
ENTERPRISE, INDIVIDUAL = LicenceKind.ENTERPRISE, LicenceKind.INDIVIDUAL_BUSINESS
OF_COMPANY, OF_PERSON = PayoutAccountKind.ENTERPRISE, PayoutAccountKind.PERSONAL


@pytest.mark.parametrize(
    ("licence", "kind", "holder", "real_name", "refusal"),
    [
        (ENTERPRISE, OF_COMPANY, COMPANY, True, None),
        (ENTERPRISE, OF_COMPANY, COMPANY, False, None),
        (ENTERPRISE, OF_COMPANY, "别家餐饮有限公司", True, "subject_mismatch"),
        (ENTERPRISE, OF_COMPANY, PERSON, True, "subject_mismatch"),
        (ENTERPRISE, OF_PERSON, PERSON, True, "personal_account_not_allowed"),
        (ENTERPRISE, OF_PERSON, COMPANY, True, "personal_account_not_allowed"),
        (ENTERPRISE, OF_PERSON, PERSON, False, "personal_account_not_allowed"),
        (INDIVIDUAL, OF_COMPANY, COMPANY, False, None),
        (INDIVIDUAL, OF_COMPANY, PERSON, True, "subject_mismatch"),
        (INDIVIDUAL, OF_PERSON, PERSON, True, None),
        (INDIVIDUAL, OF_PERSON, PERSON, False, "real_name_missing"),
        (INDIVIDUAL, OF_PERSON, "李四", True, "legal_person_mismatch"),
        (INDIVIDUAL, OF_PERSON, "李四", False, "legal_person_mismatch"),
        (INDIVIDUAL, OF_PERSON, COMPANY, True, "legal_person_mismatch"),
    ],
)
def test_the_account_belongs_to_the_verified_subject_or_to_an_individual_businesss_legal_person(
    licence: LicenceKind, kind: PayoutAccountKind, holder: str, real_name: bool, refusal: str | None
) -> None:
    subject = VerifiedSubject(licence, COMPANY, PERSON)
    refused = why_account_refused(subject, AccountHolder(kind, holder, real_name))
    assert (refused.code if refused else None) == refusal


@pytest.mark.parametrize(
    ("on_licence", "at_alipay", "same"),
    [
        ("海口（国贸）餐饮店", "海口(国贸)餐饮店", True),
        ("Old Dock Hotpot Ltd.", "old dock  hotpot ltd.", True),
        ("海口国贸餐饮店", "海口（国贸）餐饮店", False),
        ("老码头餐饮有限公司", "老码头餐饮有限责任公司", False),
        ("老码头", "", False),
    ],
)
def test_only_the_way_of_writing_may_differ_between_the_licence_and_alipay(
    on_licence: str, at_alipay: str, same: bool
) -> None:
    subject = VerifiedSubject(ENTERPRISE, on_licence, PERSON)
    refused = why_account_refused(subject, AccountHolder(OF_COMPANY, at_alipay, real_name_verified=True))
    assert (refused is None) is same


@pytest.mark.parametrize(
    ("account", "masked"),
    [
        ("13800138000", "138****8000"),
        ("laomatou@example.com", "la****@example.com"),
        ("2088600000000101", "208****0101"),
        ("abcd", "a****"),
        ("a@b", "a****@b"),
    ],
)
def test_people_see_an_account_masked(account: str, masked: str) -> None:
    assert masked_account(account) == masked
