"""Every refusal can be told apart by programs and read by people; this table has every one of them."""

import inspect
import pkgutil
import re
from importlib import import_module

import pytest

from services.catalog.domain import refusals
from services.catalog.domain.claims import ClaimState
from services.catalog.domain.deals import Category, DraftState
from services.catalog.domain.fees import FeeState
from services.catalog.domain.refusals.words import WORDS, InWords
from shared.contracts.catalog import MerchantState, PayoutAccountState
from shared.errors import DomainError

SUBJECTS = [import_module(module.name) for module in pkgutil.iter_modules(refusals.__path__, f"{refusals.__name__}.")]
# Ordered by code; `InWords` refuses nothing itself.
ALL = sorted(
    {
        kind
        for subject in SUBJECTS
        for kind in vars(subject).values()
        if inspect.isclass(kind) and issubclass(kind, DomainError) and kind.__module__ == subject.__name__
    }
    - {InWords},
    key=lambda refusal: refusal.code,
)

# Programs branch on these: a code never changes, and goes only with its refusal.
CODES = [
    "account_not_enterprise",
    "account_trial",
    "already_closed",
    "already_decided",
    "already_suspended",
    "appeal_used",
    "attribution_unknown",
    "blackout_outside_use_window",
    "booking_not_needed",
    "cancellation_needed",
    "cash_terms_needed",
    "cash_terms_not_allowed",
    "category_not_for_goods",
    "claim_exists",
    "claim_not_appealable",
    "code_source_needed",
    "code_source_not_allowed",
    "deal_in_review",
    "deal_listed_twice",
    "deal_not_in_review",
    "deal_not_of_merchant",
    "deal_not_published",
    "delivery_mode_twice",
    "delivery_terms_needed",
    "delivery_terms_not_allowed",
    "fee_settled",
    "group_buy_not_opened",
    "hot_food_not_by_courier",
    "hours_empty",
    "invitation_expired",
    "invitation_revoked",
    "invitation_used",
    "items_needed",
    "itinerary_too_short",
    "last_owner",
    "legal_person_mismatch",
    "licence_expired",
    "licence_expires_soon",
    "livestream_ended",
    "livestream_taken",
    "merchant_not_verified",
    "mode_fee_not_offered",
    "mode_fee_twice",
    "moment_out_of_range",
    "never_usable",
    "opening_not_ready",
    "original_price_not_face_value",
    "party_range_empty",
    "payout_account_not_verified",
    "personal_account_not_allowed",
    "portion_needed",
    "position_incomplete",
    "price_above_original",
    "price_below_uses",
    "real_name_missing",
    "reason_needed",
    "refund_policy_not_for_goods",
    "role_not_assignable",
    "sale_ended",
    "sale_window_empty",
    "stacking_needed",
    "staff_exists",
    "store_facts_fixed",
    "store_not_held",
    "store_not_of_merchant",
    "store_not_verified",
    "sub_merchant_needed",
    "subject_mismatch",
    "support_window_empty",
    "surcharge_range_empty",
    "surcharges_overlap",
    "template_needed",
    "template_not_allowed",
    "threshold_below_face_value",
    "too_many_claims_on_store",
    "too_many_invitations",
    "too_many_open_claims",
    "too_many_shares",
    "too_many_staff",
    "use_ends_before_sale",
    "use_window_empty",
    "uses_needed",
    "uses_not_allowed",
    "video_taken",
]


def test_no_code_changes_and_every_refusal_is_known_by_its_name() -> None:
    assert [refusal.code for refusal in ALL] == CODES
    assert {refusal.__name__ for refusal in ALL} == set(refusals.__all__)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_a_refusal_has_its_own_code_and_a_text_in_both_languages(refusal: type[DomainError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)
    assert [other for other in ALL if other.code == refusal.code] == [refusal]
    assert re.search(r"[一-鿿]", refusal.zh)
    assert re.search(r"[A-Za-z]{3}", refusal.en)
    assert re.findall(r"\{(\w+)\}", refusal.zh) == re.findall(r"\{(\w+)\}", refusal.en)
    assert 400 <= refusal.status < 500


@pytest.mark.parametrize(
    ("refusal", "zh", "en"),
    [
        (refusals.AlreadyDecided(state="APPROVED"), "（已通过）", "(approved)"),
        (refusals.FeeSettled(state="WAIVED"), "（已减免）", "(waived)"),
        (refusals.ClaimExists(state="CLAIMED"), "（待审核）", "(waiting)"),
        (refusals.ClaimNotAppealable(state="RELEASED"), "（当前：已放弃）", "(now: given back)"),
        (refusals.TemplateNeeded(category="HOTEL"), "「酒店」", "'hotel'"),
    ],
    ids=lambda one: one.code if isinstance(one, DomainError) else None,
)
def test_people_read_words_and_programs_the_code(refusal: DomainError, zh: str, en: str) -> None:
    (code,) = refusal.facts.values()
    assert zh in refusal.text("zh")
    assert en in refusal.text("en")
    assert code not in refusal.text("zh") + refusal.text("en")


def test_there_is_a_word_for_every_code_that_a_refusal_may_tell() -> None:
    told = {*ClaimState, *DraftState, *FeeState, *MerchantState, *PayoutAccountState, *Category}
    never = {DraftState.DRAFT, DraftState.IN_REVIEW, FeeState.DUE, MerchantState.SUSPENDED, Category.OTHER}
    assert {one.value for one in told - never} == WORDS.keys()
    assert all(re.search(r"[一-鿿]", zh) and en for zh, en in WORDS.values())
