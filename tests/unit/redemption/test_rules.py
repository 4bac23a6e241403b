"""When a certificate may be used or fenced."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from services.redemption.domain.certificates import (
    Certificate,
    CertificateState,
    Order,
    PastUse,
    Store,
    refusal_to_fence,
    refusal_to_use,
    reversible_until,
    shown_state,
)
from shared.contracts.use_rules import UseRules, UseWindow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
STORE = Store(uuid4(), uuid4(), "蜀香老火锅·春熙路店", open=True)
ORDER = Order(
    order_id=uuid4(),
    merchant_id=STORE.merchant_id,
    buyer="buyer",
    title="双人套餐",
    store_ids=frozenset({STORE.store_id}),
    window=UseWindow(starts_at=NOW - DAY, until=NOW + DAY),
    rules=UseRules(),
    deal_id=uuid4(),
)
CERTIFICATE = Certificate(uuid4(), ORDER.order_id, CertificateState.VALID, 1, "sealed", None)
USE = PastUse(NOW - DAY, STORE.name)

REFUSALS = [
    ("used", replace(CERTIFICATE, state=CertificateState.USED, last_use=USE), ORDER, STORE, "certificate_used"),
    ("settled", replace(CERTIFICATE, state=CertificateState.SETTLED, last_use=USE), ORDER, STORE, "certificate_used"),
    ("refunding", replace(CERTIFICATE, state=CertificateState.REFUNDING), ORDER, STORE, "certificate_refunding"),
    ("refunded", replace(CERTIFICATE, state=CertificateState.REFUNDED), ORDER, STORE, "certificate_refunded"),
    ("expired state", replace(CERTIFICATE, state=CertificateState.EXPIRED), ORDER, STORE, "expired"),
    ("no code", replace(CERTIFICATE, state=CertificateState.ISSUING), ORDER, STORE, "certificate_not_issued"),
    ("failed", replace(CERTIFICATE, state=CertificateState.ISSUE_FAILED), ORDER, STORE, "certificate_not_issued"),
    ("other store", CERTIFICATE, replace(ORDER, store_ids=frozenset({uuid4()})), STORE, "other_store"),
    (
        "too early",
        CERTIFICATE,
        replace(ORDER, window=UseWindow(starts_at=NOW + DAY, until=NOW + 2 * DAY)),
        STORE,
        "not_yet_valid",
    ),
    ("too late", CERTIFICATE, replace(ORDER, window=UseWindow(starts_at=NOW - DAY, until=NOW)), STORE, "expired"),
    (
        "blackout",
        CERTIFICATE,
        replace(ORDER, rules=UseRules(blackout_dates=(date(2026, 11, 22),))),
        STORE,
        "blackout_date",
    ),
    ("closed", CERTIFICATE, ORDER, replace(STORE, open=False), "store_closed"),
    (
        "closed on a blackout date",
        CERTIFICATE,
        replace(ORDER, rules=UseRules(blackout_dates=(date(2026, 11, 22),))),
        replace(STORE, open=False),
        "store_closed",
    ),
    ("suspended", CERTIFICATE, ORDER, replace(STORE, suspended=True), "merchant_suspended"),
]


@pytest.mark.parametrize(("certificate", "order", "store", "code"), [case[1:] for case in REFUSALS])
def test_every_reason_has_its_code_and_both_languages(
    certificate: Certificate, order: Order, store: Store, code: str
) -> None:
    refusal = refusal_to_use(certificate, order, store, NOW)
    assert refusal is not None
    assert refusal.code == code
    assert "{" not in refusal.text("zh") + refusal.text("en")
    assert refusal.text("zh") != refusal.text("en")


def test_a_valid_certificate_may_be_used_in_its_store() -> None:
    assert refusal_to_use(CERTIFICATE, ORDER, STORE, NOW) is None


def test_a_used_certificate_says_when_and_where_in_shanghai_time() -> None:
    used = replace(CERTIFICATE, state=CertificateState.USED, last_use=USE)
    refusal = refusal_to_use(used, ORDER, STORE, NOW)
    assert refusal is not None
    assert refusal.facts["used_at"] == USE.used_at.isoformat()
    assert refusal.text("zh") == "该券已于 2026-11-21 20:00 在 蜀香老火锅·春熙路店 核销"


def test_a_use_can_be_undone_for_an_hour_but_not_past_midnight_in_shanghai() -> None:
    assert reversible_until(NOW) == NOW + timedelta(hours=1)
    late = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
    assert reversible_until(late) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def test_a_certificate_whose_time_is_over_is_shown_as_expired() -> None:
    assert shown_state(CERTIFICATE, ORDER, NOW) is CertificateState.VALID
    assert shown_state(CERTIFICATE, ORDER, ORDER.window.until) is CertificateState.EXPIRED
    refunding = replace(CERTIFICATE, state=CertificateState.REFUNDING)
    assert shown_state(refunding, ORDER, ORDER.window.until) is CertificateState.REFUNDING


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([CertificateState.VALID, CertificateState.USED], "certificate_used"),
        ([CertificateState.SETTLED, CertificateState.REFUNDED], "certificate_used"),
        ([CertificateState.REFUNDED, CertificateState.REFUNDING], "certificate_refunded"),
        ([CertificateState.VALID, CertificateState.REFUNDING], "certificate_refunding"),
        ([CertificateState.VALID, None], "certificate_unknown"),
    ],
)
def test_a_refused_fence_names_the_gravest_reason(states: list[CertificateState | None], code: str) -> None:
    units = [uuid4() for _ in states]
    found = [
        replace(CERTIFICATE, unit_id=unit_id, state=state)
        for unit_id, state in zip(units, states, strict=True)
        if state is not None
    ]
    assert refusal_to_fence(found, units) == code
