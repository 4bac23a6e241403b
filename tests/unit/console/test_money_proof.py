"""The proof holds for books that agree, and names whatever is changed by a single fen or state."""

import copy
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from services.console.audit import show
from services.console.channel import Channel, Entry, MissingBill, spans
from services.console.money import Books, Proof, prove

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2026, 11, 22)
LONG_AGO = (NOW - timedelta(hours=1)).isoformat()
SERVICES = ("checkout", "redemption", "dispatch", "settlement")
Raw = dict[str, Any]


def entry(movement: str, amount_fen: int, fee_fen: int = 0, trade: str = "t1", *, is_billed: bool = True) -> Entry:
    """A line of the channel's book."""
    return Entry(movement, trade, f"{movement}-{trade}", amount_fen, fee_fen, DAY, is_billed)


def proved(raw: Raw, **more: Any) -> Proof:
    return prove(Books(**raw, **more), NOW)


def agreeing() -> Raw:
    """Two vouchers: one used and paid out, the other one refunded. Alipay took 77 fen."""
    entries = [entry("PAYMENT", 25600), entry("REFUND", 12800), entry("PAYOUT", 12800, 77)]
    return {
        "channel": Channel(entries=entries, billed=[DAY]),
        "services": {
            name: {"terms": {"held_fen": 0, "owed_fen": 0}, "in_flight": [], "misfits": []} for name in SERVICES
        },
        "orders": {
            "checkout": {
                "o1": {
                    "order_id": "o1",
                    "changed_at": LONG_AGO,
                    "state": "COMPLETED",
                    "received_fen": 25600,
                    "refunded_fen": 12800,
                    "outside_fen": 0,
                    "out_trade_nos": ["t1"],
                    "units": {"u1": "FINAL", "u2": "REFUNDED"},
                }
            },
            "redemption": {
                "o1": {
                    "changed_at": LONG_AGO,
                    "units": {"u1": {"state": "SETTLED", "uses": 1}, "u2": {"state": "REFUNDED", "uses": 0}},
                }
            },
            "dispatch": {},
            "settlement": {
                "o1": {
                    "changed_at": LONG_AGO,
                    "received_fen": 25600,
                    "refunded_fen": 12800,
                    "paid_net_fen": 12723,
                    "fee_fen": 77,
                    "held_fen": 0,
                    "owed_fen": 0,
                    "units": {"u1": {"1": "PAID"}, "u2": {"1": "REFUNDED"}},
                }
            },
        },
    }


def test_books_that_agree_hold_to_the_fen() -> None:
    proof = proved(agreeing())
    assert proof.difference_fen == 0
    assert proof.findings == []
    assert proof.holds(NOW)


@pytest.mark.parametrize(("state", "made"), [("USED", 1), ("SETTLED", 1), ("REFUNDED", 1)])
def test_a_certificate_whose_money_was_taken_back_after_its_use_agrees_and_only_if_checkout_says_so(
    state: str, made: int
) -> None:
    raw = agreeing()
    raw["orders"]["redemption"]["o1"]["units"]["u2"] = {"state": state, "uses": made}
    assert not proved(raw).holds(NOW)
    raw["orders"]["checkout"]["o1"]["taken_back"] = ["u2"]
    assert proved(raw).holds(NOW)


def with_a_card(state: str, made: int, at_checkout: str, *uses: str) -> Raw:
    """The same, and a card of three uses in an order of its own, of which nothing was paid out yet."""
    raw = agreeing()
    refunded_fen, paid = uses.count("REFUNDED") * 100, uses.count("PAID")
    order = {"order_id": "o2", "changed_at": LONG_AGO, "received_fen": 300, "refunded_fen": refunded_fen}
    held_fen = 300 - refunded_fen - 100 * paid
    raw["orders"]["checkout"]["o2"] = order | {
        "state": "FULFILLING", "outside_fen": 0, "out_trade_nos": ["t2"], "units": {"c1": at_checkout},
    }  # fmt: skip
    raw["orders"]["redemption"]["o2"] = {"changed_at": LONG_AGO, "units": {"c1": {"state": state, "uses": made}}}
    raw["orders"]["settlement"]["o2"] = order | {
        "paid_net_fen": 99 * paid, "fee_fen": paid, "held_fen": held_fen, "owed_fen": 0,
        "units": {"c1": {str(number): use for number, use in enumerate(uses, start=1)}},
    }  # fmt: skip
    raw["channel"].entries += [
        entry("PAYMENT", 300, trade="t2"),
        entry("REFUND", refunded_fen, trade="t2"),
        entry("PAYOUT", 100 * paid, paid, trade="t2"),
    ]
    raw["services"]["settlement"]["terms"]["held_fen"] += held_fen
    return raw


@pytest.mark.parametrize(
    ("state", "made", "at_checkout", "uses"),
    [
        ("VALID", 0, "OPEN", ("HELD", "HELD", "HELD")),
        ("VALID", 2, "OPEN", ("PAID", "USED", "HELD")),
        ("EXPIRED", 1, "OPEN", ("FINAL", "HELD", "HELD")),
        ("REFUNDING", 1, "REFUNDING", ("CLAIMED", "HELD", "HELD")),
        ("REFUNDED", 1, "REFUNDED", ("PAID", "REFUNDED", "REFUNDED")),
        ("USED", 3, "USED", ("PAID", "FINAL", "USED")),
        ("SETTLED", 3, "FINAL", ("PAID", "PAID", "PAID")),
        ("DISPUTED", 3, "REFUNDING", ("PAID", "FINAL", "USED")),
        ("DISPUTED", 3, "REFUNDING", ("PAID", "PAID", "PAID")),
    ],
)
def test_a_card_fits_by_what_was_made_of_its_uses(
    state: str, made: int, at_checkout: str, uses: tuple[str, ...]
) -> None:
    proof = proved(with_a_card(state, made, at_checkout, *uses))
    assert (proof.findings, proof.difference_fen) == ([], 0)


@pytest.mark.parametrize(
    ("state", "made", "at_checkout", "uses"),
    [
        ("VALID", 1, "OPEN", ("HELD", "HELD", "HELD")),
        ("VALID", 1, "OPEN", ("PAID", "USED", "HELD")),
        ("VALID", 1, "OPEN", ("PAID", "REFUNDED", "REFUNDED")),
        ("REFUNDED", 1, "REFUNDED", ("PAID", "HELD", "REFUNDED")),
        ("REFUNDED", 0, "REFUNDED", ("PAID", "REFUNDED", "REFUNDED")),
        ("REFUNDED", 1, "OPEN", ("PAID", "REFUNDED", "REFUNDED")),
        ("DISPUTED", 3, "REFUNDING", ("PAID", "FINAL", "HELD")),
        ("REFUNDED", 3, "REFUNDED", ("PAID", "REFUNDED", "REFUNDED")),
        ("REFUNDED", 3, "REFUNDED", ("REFUNDED", "REFUNDED", "REFUNDED")),
        ("USED", 3, "USED", ("PAID", "PAID", "PAID")),
        ("USED", 3, "USED", ("PAID", "PAID", "HELD")),
        ("SETTLED", 3, "FINAL", ("PAID", "PAID", "FINAL")),
    ],
)
def test_a_card_of_which_another_use_was_made_is_named(
    state: str, made: int, at_checkout: str, uses: tuple[str, ...]
) -> None:
    proof = proved(with_a_card(state, made, at_checkout, *uses))
    assert {finding.item_id for finding in proof.findings} == {"c1"}
    assert not proof.holds(NOW)


def change(raw: Raw, index: int, **facts: Any) -> None:
    """Let a line of the bill say something else."""
    entries = raw["channel"].entries
    entries[index] = replace(entries[index], **facts)


def _order(service: str) -> Callable[[Raw], Raw]:
    def find(raw: Raw) -> Raw:
        row: Raw = raw["orders"][service]["o1"]
        return row

    return find


CHANGES: dict[str, Callable[[Raw], None]] = {
    "the bill has a fen more": lambda raw: change(raw, 0, amount_fen=25601),
    "the bill has a fen less of a refund": lambda raw: change(raw, 1, amount_fen=12799),
    "the bill has another fee": lambda raw: change(raw, 2, fee_fen=76),
    "the bill has a payout twice": lambda raw: raw["channel"].entries.append(raw["channel"].entries[2]),
    "the bill has a trade that nobody asked for": lambda raw: raw["channel"].entries.append(
        entry("PAYMENT", 1, trade="t2")
    ),
    "the bill has a refund that somebody made at Alipay itself": lambda raw: raw["channel"].entries.append(
        entry("REFUND", 100)
    ),
    "the bill lacks the payment": lambda raw: raw["channel"].entries.pop(0),
    "checkout counts a refund twice": lambda raw: _order("checkout")(raw).update(refunded_fen=25600),
    "settlement never heard of the order": lambda raw: raw["orders"]["settlement"].clear(),
    "settlement heard of another amount": lambda raw: _order("settlement")(raw).update(received_fen=25599),
    "settlement holds money that is gone": lambda raw: _order("settlement")(raw).update(held_fen=1),
    "nobody fulfils the order": lambda raw: raw["orders"]["redemption"].clear(),
    "a certificate is still valid although it was paid out": lambda raw: _order("redemption")(raw)["units"][
        "u1"
    ].update(state="VALID"),
    "a certificate was used and refunded": lambda raw: _order("redemption")(raw)["units"]["u2"].update(state="USED"),
    "a unit is refunded at checkout only": lambda raw: _order("settlement")(raw)["units"].update(u2={"1": "HELD"}),
    "a unit is unknown to settlement": lambda raw: _order("settlement")(raw)["units"].pop("u2"),
    "a service reports what can never be right": lambda raw: raw["services"]["settlement"]["misfits"].append(
        {"what": "posting set", "id": "s1", "detail": "sums to 1"}
    ),
    "a service could not look at all of its tables": lambda raw: raw["services"]["settlement"].update(
        is_complete=False
    ),
    "trades were too many to ask for": lambda raw: setattr(raw["channel"], "unasked", 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_single_disagreement_fails_the_proof(change: str) -> None:
    raw = copy.deepcopy(agreeing())
    CHANGES[change](raw)
    assert not proved(raw).holds(NOW)


def test_what_is_younger_than_ten_minutes_is_named_and_waited_for() -> None:
    raw = agreeing()
    _order("redemption")(raw)["changed_at"] = NOW.isoformat()
    _order("redemption")(raw)["units"]["u1"]["state"] = "VALID"
    proof = proved(raw)
    assert [finding.item_id for finding in proof.findings] == ["u1"]
    assert proof.holds(NOW)
    assert not proof.holds(NOW + timedelta(minutes=11))


def test_what_is_under_way_excuses_no_more_than_its_own_amount() -> None:
    raw = agreeing()
    raw["services"]["checkout"]["in_flight"] = [
        {"what": "refund", "id": "r1", "amount_fen": 500, "since": NOW.isoformat()}
    ]
    raw["channel"].entries.append(entry("PAYMENT", 500, trade="t9"))
    raw["orders"]["checkout"]["o9"] = {
        **raw["orders"]["checkout"]["o1"], "received_fen": 500, "refunded_fen": 0, "outside_fen": 500,
        "out_trade_nos": ["t9"], "units": {}, "state": "CLOSED",
    }  # fmt: skip
    assert proved(raw).holds(NOW)
    raw["services"]["settlement"]["terms"]["held_fen"] -= 1
    assert not proved(raw).holds(NOW)


def test_a_transfer_from_the_platforms_own_account_belongs_to_the_order_that_settlement_names() -> None:
    raw = agreeing()
    entries = raw["channel"].entries
    entries[2] = Entry("TRANSFER", "", "n1", 12723, 0, DAY, is_billed=True)
    entries[0] = replace(entries[0], amount_fen=25523)
    order = _order("settlement")(raw)
    order.update(fee_fen=0, received_fen=order["received_fen"] - 77)
    _order("checkout")(raw)["received_fen"] -= 77
    assert proved(raw, transfers={"n1": "o1"}).holds(NOW)
    assert not proved(raw).holds(NOW), "nobody knows what it was for"


def test_a_movement_that_only_the_bill_has_is_named_by_its_order_or_by_its_trade() -> None:
    raw = agreeing()
    raw["channel"].entries += [entry("REFUND", 100), entry("PAYMENT", 7, trade="t2")]
    named = {(finding.what, finding.item_id): finding.detail for finding in proved(raw).findings}
    assert named["refunded differs", "o1"] == "channel 12900 fen, checkout 12800 fen"
    assert named["received differs", "trade t2"] == "channel 7 fen, checkout 0 fen"


def test_what_no_bill_has_yet_is_said_term_by_term() -> None:
    raw = agreeing()
    change(raw, 2, is_billed=False)
    raw["channel"].asked = [DAY]
    proof = proved(raw)
    assert proof.holds(NOW)
    assert proof.provisional == {"received_fen": 0, "refunded_fen": 0, "paid_net_fen": 12723, "fees_fen": 77}
    assert (proof.billed, proof.asked) == ([DAY], [DAY])


def test_a_bill_that_is_due_and_not_there_is_in_flight_and_fails_after_ten_minutes() -> None:
    raw = agreeing()
    raw["channel"].missing = [MissingBill(DAY, 3, NOW)]
    proof = proved(raw)
    assert [(finding.what, finding.item_id) for finding in proof.findings] == [("bill missing", str(DAY))]
    assert proof.holds(NOW)
    assert not proof.holds(NOW + timedelta(minutes=11))


def test_days_without_a_bill_are_asked_for_as_few_spans() -> None:
    days = [DAY + timedelta(days=number) for number in (0, 1, 2, 5, 7, 8)]
    assert spans(days) == [(DAY, 3), (DAY + timedelta(days=5), 1), (DAY + timedelta(days=7), 2)]
    assert spans([]) == []
    assert [count for _, count in spans([DAY + timedelta(days=number) for number in range(401)])] == [400, 1]


def test_each_term_is_printed_with_its_source_and_the_provisional_ones_with_what_was_asked() -> None:
    raw = agreeing()
    change(raw, 2, is_billed=False)
    raw["channel"].asked = [DAY + timedelta(days=1)]
    out = Console(record=True, width=160, file=io.StringIO())
    show(out, proved(raw))
    text = out.export_text()
    assert "账单 bills, 暂计 0.00" in text
    (paid,) = [line for line in text.splitlines() if "已付商家" in line and "│" in line]
    assert paid.endswith("暂计 127.23")
    (held,) = [line for line in text.splitlines() if "待结算" in line]
    assert held.rstrip().endswith("settlement's ledger")
    assert "账单 bills: 2026-11-22 … 2026-11-22" in text
    assert "no bill yet: 2026-11-23" in text
    for asked in ("alipay.trade.query", "alipay.trade.fastpay.refund.query", "the rate agreed with Alipay"):
        assert asked in text
