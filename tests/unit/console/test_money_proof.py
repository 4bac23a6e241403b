"""The proof holds for books that agree, and names whatever is changed by a single fen or state."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.console.money import Books, prove

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = (NOW - timedelta(hours=1)).isoformat()
SERVICES = ("checkout", "redemption", "dispatch", "settlement")
Raw = dict[str, Any]


def agreeing() -> Raw:
    """Two vouchers: one used and paid out, the other one refunded. Alipay took 77 fen."""
    entry = {"out_trade_no": "t1", "fee_fen": 0}
    return {
        "channel": {"received_fen": 25600, "refunded_fen": 12800, "settled_fen": 12723, "fee_fen": 77},
        "entries": [
            {**entry, "kind": "payment", "amount_fen": 25600},
            {**entry, "kind": "refund", "amount_fen": 12800},
            {**entry, "kind": "settle", "amount_fen": 12800, "fee_fen": 77},
        ],
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
    proof = prove(Books(**agreeing()))
    assert proof.difference_fen == 0
    assert proof.findings == []
    assert proof.holds(NOW)


@pytest.mark.parametrize(("state", "made"), [("USED", 1), ("SETTLED", 1), ("REFUNDED", 1)])
def test_a_certificate_whose_money_was_taken_back_after_its_use_agrees_and_only_if_checkout_says_so(
    state: str, made: int
) -> None:
    raw = agreeing()
    raw["orders"]["redemption"]["o1"]["units"]["u2"] = {"state": state, "uses": made}
    assert not prove(Books(**raw)).holds(NOW)
    raw["orders"]["checkout"]["o1"]["taken_back"] = ["u2"]
    assert prove(Books(**raw)).holds(NOW)


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
    entry = {"out_trade_no": "t2", "fee_fen": 0}
    raw["entries"] += [
        {**entry, "kind": "payment", "amount_fen": 300},
        {**entry, "kind": "refund", "amount_fen": refunded_fen},
        {**entry, "kind": "settle", "amount_fen": 100 * paid, "fee_fen": paid},
    ]
    channel = {"received_fen": 300, "refunded_fen": refunded_fen, "settled_fen": 99 * paid, "fee_fen": paid}
    raw["channel"] = {name: raw["channel"][name] + fen for name, fen in channel.items()}
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
    proof = prove(Books(**with_a_card(state, made, at_checkout, *uses)))
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
    proof = prove(Books(**with_a_card(state, made, at_checkout, *uses)))
    assert {finding.item_id for finding in proof.findings} == {"c1"}
    assert not proof.holds(NOW)


def _order(service: str) -> Callable[[Raw], Raw]:
    def find(raw: Raw) -> Raw:
        row: Raw = raw["orders"][service]["o1"]
        return row

    return find


CHANGES: dict[str, Callable[[Raw], None]] = {
    "the channel received a fen more": lambda raw: raw["entries"][0].update(amount_fen=25601),
    "the channel refunded a fen less": lambda raw: raw["entries"][1].update(amount_fen=12799),
    "the channel took another fee": lambda raw: raw["entries"][2].update(fee_fen=76),
    "the channel paid the merchant twice": lambda raw: raw["entries"].append(raw["entries"][2]),
    "the channel knows a trade that nobody asked for": lambda raw: raw["entries"].append(
        {"kind": "payment", "out_trade_no": "t2", "amount_fen": 1, "fee_fen": 0}
    ),
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
    "the sums do not add up": lambda raw: raw["channel"].update(received_fen=25601),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_single_disagreement_fails_the_proof(change: str) -> None:
    raw = copy.deepcopy(agreeing())
    CHANGES[change](raw)
    assert not prove(Books(**raw)).holds(NOW)


def test_what_is_younger_than_ten_minutes_is_named_and_waited_for() -> None:
    raw = agreeing()
    _order("redemption")(raw)["changed_at"] = NOW.isoformat()
    _order("redemption")(raw)["units"]["u1"]["state"] = "VALID"
    proof = prove(Books(**raw))
    assert [finding.item_id for finding in proof.findings] == ["u1"]
    assert proof.holds(NOW)
    assert not proof.holds(NOW + timedelta(minutes=11))


def test_what_is_under_way_excuses_no_more_than_its_own_amount() -> None:
    raw = agreeing()
    raw["services"]["checkout"]["in_flight"] = [
        {"what": "refund", "id": "r1", "amount_fen": 500, "since": NOW.isoformat()}
    ]
    raw["channel"]["received_fen"] += 500
    assert prove(Books(**raw)).holds(NOW)
    raw["channel"]["received_fen"] += 1
    assert not prove(Books(**raw)).holds(NOW)


def test_a_transfer_from_the_platforms_own_account_belongs_to_the_order_that_settlement_names() -> None:
    raw = agreeing()
    own = {"kind": "transfer", "out_trade_no": "", "out_request_no": "n1", "amount_fen": 12723, "fee_fen": 0}
    raw["entries"][2] = own
    raw["channel"].update(fee_fen=0)
    raw["channel"]["received_fen"] -= 77
    raw["entries"][0]["amount_fen"] -= 77
    order = _order("settlement")(raw)
    order.update(fee_fen=0, received_fen=order["received_fen"] - 77)
    _order("checkout")(raw)["received_fen"] -= 77
    assert prove(Books(**raw, transfers={"n1": "o1"})).holds(NOW)
    assert not prove(Books(**raw)).holds(NOW), "nobody knows what it was for"
