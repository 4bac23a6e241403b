"""Which Alipay account a merchant may be paid to."""

import itertools
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Case:
    """Every combination of licence, account, holder (the company, the legal person, or neither) and real name."""

    licence: LicenceKind
    kind: PayoutAccountKind
    holder: str
    real_name: bool
    refusal: str | None


STRANGER = "别家餐饮有限公司"
CASES = [
    Case(ENTERPRISE, OF_COMPANY, COMPANY, True, None),
    Case(ENTERPRISE, OF_COMPANY, COMPANY, False, None),
    Case(ENTERPRISE, OF_COMPANY, PERSON, True, "subject_mismatch"),
    Case(ENTERPRISE, OF_COMPANY, PERSON, False, "subject_mismatch"),
    Case(ENTERPRISE, OF_COMPANY, STRANGER, True, "subject_mismatch"),
    Case(ENTERPRISE, OF_COMPANY, STRANGER, False, "subject_mismatch"),
    Case(ENTERPRISE, OF_PERSON, COMPANY, True, "personal_account_not_allowed"),
    Case(ENTERPRISE, OF_PERSON, COMPANY, False, "personal_account_not_allowed"),
    Case(ENTERPRISE, OF_PERSON, PERSON, True, "personal_account_not_allowed"),
    Case(ENTERPRISE, OF_PERSON, PERSON, False, "personal_account_not_allowed"),
    Case(ENTERPRISE, OF_PERSON, STRANGER, True, "personal_account_not_allowed"),
    Case(ENTERPRISE, OF_PERSON, STRANGER, False, "personal_account_not_allowed"),
    Case(INDIVIDUAL, OF_COMPANY, COMPANY, True, None),
    Case(INDIVIDUAL, OF_COMPANY, COMPANY, False, None),
    Case(INDIVIDUAL, OF_COMPANY, PERSON, True, "subject_mismatch"),
    Case(INDIVIDUAL, OF_COMPANY, PERSON, False, "subject_mismatch"),
    Case(INDIVIDUAL, OF_COMPANY, STRANGER, True, "subject_mismatch"),
    Case(INDIVIDUAL, OF_COMPANY, STRANGER, False, "subject_mismatch"),
    Case(INDIVIDUAL, OF_PERSON, COMPANY, True, "legal_person_mismatch"),
    Case(INDIVIDUAL, OF_PERSON, COMPANY, False, "legal_person_mismatch"),
    Case(INDIVIDUAL, OF_PERSON, PERSON, True, None),
    Case(INDIVIDUAL, OF_PERSON, PERSON, False, "real_name_missing"),
    Case(INDIVIDUAL, OF_PERSON, STRANGER, True, "legal_person_mismatch"),
    Case(INDIVIDUAL, OF_PERSON, STRANGER, False, "legal_person_mismatch"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_account_belongs_to_the_verified_subject_or_to_an_individual_businesss_legal_person(case: Case) -> None:
    subject = VerifiedSubject(case.licence, COMPANY, PERSON)
    refused = why_account_refused(subject, AccountHolder(case.kind, case.holder, case.real_name))
    assert (refused.code if refused else None) == case.refusal


def test_the_table_leaves_no_combination_out() -> None:
    every = itertools.product(LicenceKind, PayoutAccountKind, (COMPANY, PERSON, STRANGER), (True, False))
    assert {(case.licence, case.kind, case.holder, case.real_name) for case in CASES} == set(every)
    assert len(CASES) == len(set(CASES))


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
