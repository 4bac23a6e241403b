"""Every code that a service may send to a page has its words: walked, so that a new code goes red here."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import services
from services.catalog.domain.checklist import Step, StepState
from services.catalog.domain.claims import ClaimState
from services.catalog.domain.deals.content import Category, DealContent
from services.catalog.domain.deals.states import BadgeState, DealState
from services.catalog.domain.fees import FeeKind, FeeState
from services.catalog.domain.merchants import AccountKind
from services.catalog.domain.payout_accounts import LicenceKind, PayoutAccountKind
from services.catalog.domain.staff import InvitationState
from services.catalog.routes.operators import ApplicationView, WaitingPayoutAccount
from services.checkout.domain.mass_refunds import MassRefundState
from services.checkout.domain.orders import OrderState, UnitState
from services.checkout.domain.refunds import RefundState
from services.dispatch.domain import eligibility, scoring
from services.dispatch.domain.attempts import AttemptState, CancelledBy
from services.dispatch.domain.parcels import ParcelState, answer_fence
from services.dispatch.domain.penalties import Bearer
from services.dispatch.use_cases import dispatching
from services.redemption.domain.certificates import Certificate, CertificateState, refusal_to_fence
from services.settlement.domain.payouts import InstructionState
from services.settlement.domain.uses import UseState
from services.settlement.store.copies import why_not_paid
from services.web.routes import operators
from services.web.texts import TEXTS
from shared.contracts.catalog import (
    CodeSource,
    DealForm,
    DealKind,
    DeliveryMode,
    MerchantState,
    RefundPolicy,
    StaffRole,
)
from shared.contracts.checkout import RefundCause
from shared.errors import DomainError
from shared.ids import new_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")

# The family of texts, and the codes that come into it.
FAMILIES: tuple[tuple[str, type[StrEnum]], ...] = (
    ("claim.", ClaimState),
    ("deal_state.", DealState),
    ("sale.", BadgeState),
    ("form.", DealForm),
    ("deal.items.", DealForm),
    ("mode.", DeliveryMode),
    ("mode.hint.", DeliveryMode),
    ("fee.", FeeKind),
    ("fee.state.", FeeState),
    ("invitation.", InvitationState),
    ("merchant.state.", MerchantState),
    ("merchant.step.", Step),
    ("merchant.step_state.", StepState),
    ("role.", StaffRole),
    ("line.", UseState),
    ("payout.", InstructionState),
    ("parcel.state.", ParcelState),
    ("attempt.", AttemptState),
    ("doing.", CancelledBy),
    ("bearer.", Bearer),
    ("certificate.", CertificateState),
    ("refund.state.", RefundState),
    ("campaign.state.", MassRefundState),
    ("order_state.", OrderState),
    ("unit_state.", UnitState),
    *(("operator.word.", one) for one in (AccountKind, LicenceKind, PayoutAccountKind, DealForm, DealKind, Category,
                                          CodeSource, RefundPolicy, DeliveryMode)),
)  # fmt: skip


def _returned(function: Any) -> set[str]:
    """The strings that a function may return."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    answers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    branches = [part for one in answers for part in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]
    found = [node.value for node in branches if isinstance(node, ast.Constant)]
    assert len(found) == len(branches), "an answer that is no constant cannot be found here"
    return {one for one in found if isinstance(one, str)}


def _refused_refunds() -> set[str]:
    """Why redemption or dispatch refuse to stop what a refund is asked for; what only a race brings has no words."""
    unit = new_id()
    certificates = (
        Certificate(**{**_blank(Certificate), "unit_id": unit, "state": state})
        for state in (CertificateState.USED, CertificateState.SETTLED, CertificateState.REFUNDED,
                      CertificateState.REFUNDING)
    )  # fmt: skip
    vouchers = {refusal_to_fence([one], [unit]) for one in certificates}
    parcels = {
        answer_fence(state, whole=True, carrier_involved=False, by_buyer=by_buyer)[1]
        for state in ParcelState
        for by_buyer in (True, False)
    }
    return {code for code in vouchers | parcels if code}


def _blank(made: Any) -> dict[str, Any]:
    return dict.fromkeys(made.__dataclass_fields__)


def _field_names(model: type[BaseModel]) -> Iterator[str]:
    """The fields of a model, and of the models that it holds directly; entries of lists are shown without names."""
    for name, field in model.model_fields.items():
        yield name
        optional = isinstance(field.annotation, UnionType)
        for part in get_args(field.annotation) if optional else (field.annotation,):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _field_names(part)


def _refusals() -> list[type[DomainError]]:
    """Every refusal that any service can raise."""
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if not found.name.rpartition(".")[2].startswith(("__", "0", "env")) and ".migrations" not in found.name:
            importlib.import_module(found.name)
    waiting, known = [DomainError], set[type[DomainError]]()
    while waiting:
        for one in waiting.pop().__subclasses__():
            if one not in known:
                known.add(one)
                waiting.append(one)
    return [one for one in known if one.__module__.startswith(("services.", "shared."))]


@pytest.mark.parametrize("key", sorted({prefix + one.value for prefix, codes in FAMILIES for one in codes}))
def test_every_state_that_a_service_can_send_has_a_word(key: str) -> None:
    assert key in TEXTS


def _reasons_of_the_search() -> set[str]:
    """Why a carrier is not chosen: the checks by name, and what choosing itself writes down."""
    written = re.findall(r'"((?:quote|above|tries)_[a-z_]+)[":]', inspect.getsource(dispatching))
    return {name for name, _ in eligibility._CHECKS} | set(written)


@pytest.mark.parametrize("reason", sorted(_reasons_of_the_search()))
def test_every_reason_against_a_carrier_has_a_word(reason: str) -> None:
    assert f"why_not.{reason}" in TEXTS


@pytest.mark.parametrize("why", sorted(set(re.findall(r'"([a-z_]+)"', inspect.getsource(scoring.Choice._why)))))
def test_every_reason_for_a_carrier_has_a_word(why: str) -> None:
    assert f"chosen_for.{why}" in TEXTS


@pytest.mark.parametrize("code", sorted(_returned(why_not_paid)))
def test_every_reason_that_holds_money_back_has_words(code: str) -> None:
    assert f"statement.held.{code}" in TEXTS


def test_the_reasons_that_hold_money_back_were_found() -> None:
    assert {"merchant_suspended", "merchant_not_verified", "payout_account_not_verified"} <= _returned(why_not_paid)


@pytest.mark.parametrize("code", sorted(_refused_refunds()))
def test_every_reason_that_refuses_a_refund_has_words(code: str) -> None:
    assert f"refused.{code}" in TEXTS


@pytest.mark.parametrize("cause", [one for one in RefundCause if one is not RefundCause.BUYER])
def test_every_refund_that_nobody_asked_for_says_its_cause(cause: RefundCause) -> None:
    assert f"refund.cause.{cause.value}" in TEXTS


@pytest.mark.parametrize("model", [DealContent, ApplicationView, WaitingPayoutAccount])
def test_every_field_that_an_operator_reads_has_a_name(model: type[BaseModel]) -> None:
    unnamed = {name for name in _field_names(model) if f"operator.fact.{name}" not in TEXTS}
    assert unnamed - operators.NOT_SHOWN == set()


def test_every_refusal_is_told_in_both_languages() -> None:
    refusals = _refusals()
    assert len(refusals) > 100
    wordless = [one.__name__ for one in refusals if not re.search(r"[a-z]{3}", one.en) or not _CHINESE.search(one.zh)]
    assert wordless == []
