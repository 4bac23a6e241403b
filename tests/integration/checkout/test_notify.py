"""The notify endpoint against an independent signer: every change refused, and no word before the commit."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from structlog.testing import capture_logs

from shared.contracts.catalog import DealKind, Rail
from shared.contracts.checkout import OrderPaid
from shared.sealed import Seals
from tests.integration.checkout.alipay_side import AlipayItself, payment_of
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.environment import Environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

Form = dict[str, str]


@pytest.fixture(scope="session")
def itself(environment: Environment) -> AlipayItself:
    return AlipayItself.of(environment.local.keys)


async def test_a_genuine_notify_pays_the_order_and_says_everything_others_need(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal, quantity=2)

    await purchase.at_cashier(await purchase.pay_url(), "success")
    await eventually(lambda: purchase.is_in("PAID"), what="the notify pays the order")

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_fen == 2 * 12_800 == sum(use.paid_fen for unit in paid.units for use in unit.uses)
    assert [unit.unit_id for unit in paid.units] == await purchase.unit_ids()
    assert (paid.rail, paid.sub_merchant_id) == (Rail.ZHIFUTONG, "2088123412341234")
    assert (paid.out_trade_no, paid.buyer, paid.kind) == (purchase.out_trade_no, purchase.buyer, DealKind.VOUCHER)
    assert await stage.stock(deal) == (0, 2)
    assert await stage.timer("order_expired", purchase.order_id) is None
    assert await stage.timer("ask_channel", purchase.attempt_id) is None
    assert [entry["what"] for entry in (await purchase.view())["timeline"]] == ["PLACED", "PAID"]


async def test_what_the_independent_sdk_signs_is_believed_with_fields_that_nobody_knows(
    stage: Stage, itself: AlipayItself
) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()

    waiting = itself.signed(payment_of(purchase, trade_status="WAIT_BUYER_PAY", gmt_payment=None))
    assert await post(stage, waiting) == (200, "success")
    assert await purchase.state() == "PLACED"
    for _ in range(3):
        assert await post(stage, itself.signed(payment_of(purchase))) == (200, "success")
        assert await purchase.state() == "PAID"
    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_at.isoformat() == "2036-11-22T04:00:00+00:00"


def facts(**changes: str | None) -> Callable[[AlipayItself, Purchase], Form]:
    """Signed by Alipay, and yet not to be believed."""
    return lambda itself, purchase: itself.signed(payment_of(purchase, **changes))


def on_the_way(**changes: str | None) -> Callable[[AlipayItself, Purchase], Form]:
    """Signed by Alipay, and changed by somebody after that."""

    def change(itself: AlipayItself, purchase: Purchase) -> Form:
        form: dict[str, str | None] = {**itself.signed(payment_of(purchase)), **changes}
        return {name: value for name, value in form.items() if value is not None}

    return change


def twice(name: str, value: str) -> Callable[[AlipayItself, Purchase], str]:
    """A genuine notify to which a field has been added that it has already."""
    return lambda itself, purchase: f"{urlencode(itself.signed(payment_of(purchase)))}&{name}={quote_plus(value)}"


REFUSALS: list[tuple[str, str, Callable[[AlipayItself, Purchase], Form | str | bytes]]] = [
    ("another application", "app_id", facts(app_id="2021000000000002")),
    ("no application", "app_id", facts(app_id=None)),
    ("another seller", "seller_id", facts(seller_id="2088000000000009")),
    ("no seller", "seller_id", facts(seller_id=None)),
    ("a number that is nobody's", "number", facts(out_trade_no="0" * 32)),
    ("a number of another shape", "number", facts(out_trade_no="not-a-number")),
    ("our number written otherwise", "number", lambda i, p: i.signed(payment_of(p, out_trade_no=str(p.attempt_id)))),
    ("no number", "number", facts(out_trade_no=None)),
    ("an empty number", "number", facts(out_trade_no="")),
    ("no amount", "trade", facts(total_amount=None)),
    ("an empty amount", "trade", facts(total_amount="")),
    ("an amount in no known form", "trade", facts(total_amount="1.28e2")),
    ("a negative amount", "trade", facts(total_amount="-128.00")),
    ("another amount, waiting", "amount", facts(total_amount="0.01", trade_status="WAIT_BUYER_PAY", gmt_payment=None)),
    ("another amount, closed", "amount", facts(total_amount="0.01", trade_status="TRADE_CLOSED", gmt_payment=None)),
    ("no status", "trade", facts(trade_status=None)),
    ("a status of next year", "trade", facts(trade_status="TRADE_DREAMT")),
    ("paid without a trade number", "trade", facts(trade_no=None)),
    ("paid at no known time", "trade", facts(gmt_payment="yesterday")),
    ("an amount changed on the way", "signature", on_the_way(total_amount="0.01")),
    ("a number changed on the way", "signature", on_the_way(out_trade_no="0" * 32)),
    ("an unknown field changed on the way", "signature", on_the_way(a_field_of_next_year="other")),
    ("an unknown field taken away", "signature", on_the_way(a_field_of_next_year=None)),
    ("a field added on the way", "signature", on_the_way(another_field="1")),
    ("no signature", "signature", on_the_way(sign=None)),
    ("an empty signature", "signature", on_the_way(sign="")),
    ("a signature that is no base64", "signature", on_the_way(sign="%%%")),
    ("a signature of somebody else", "signature", lambda i, p: {**payment_of(p), "sign": "QUJD" * 86}),
    ("the weaker signature", "sign_type", on_the_way(sign_type="RSA")),
    ("an empty kind of signature", "sign_type", on_the_way(sign_type="")),
    ("another charset", "charset", facts(charset="GBK")),
    ("the amount twice", "malformed", twice("total_amount", "0.01")),
    ("a field before its genuine one", "malformed", lambda i, p: f"app_id=1&{urlencode(i.signed(payment_of(p)))}"),
    ("an empty field twice", "malformed", twice("notify_id", "")),
    ("text in another encoding", "malformed", lambda i, p: b"subject=%BB%F0%B9%F8&app_id=1"),
    ("bytes that are no form", "malformed", lambda i, p: b"\xff\xfe"),
    ("nothing", "malformed", lambda i, p: b""),
    ("json", "malformed", lambda i, p: b'{"trade_status":"TRADE_SUCCESS"}'),
    ("more fields than any notify has", "malformed", lambda i, p: urlencode({f"f{n}": "1" for n in range(101)})),
    ("more than any notify says", "malformed", facts(body="x" * 70_000)),
]


@pytest.mark.parametrize(("reason", "make"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
async def test_it_is_refused_with_a_reason_and_leaves_nothing(
    stage: Stage, itself: AlipayItself, reason: str, make: Callable[[AlipayItself, Purchase], Form | str | bytes]
) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()
    before = await everything_about(stage, purchase)

    with capture_logs() as lines:
        assert await post(stage, make(itself, purchase)) == (400, "fail")

    assert [line["reason"] for line in lines if line["event"] == "notify_refused"] == [reason]
    assert "128.00" not in str(lines), "a log line holds nothing of the body"
    assert await everything_about(stage, purchase) == before
    # The order is as payable as it was.
    assert await post(stage, itself.signed(payment_of(purchase))) == (200, "success")
    assert await purchase.state() == "PAID"


async def test_money_of_another_amount_is_taken_in_and_left_to_an_operator_with_the_whole_notify(
    stage: Stage, itself: AlipayItself
) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()
    form = itself.signed(payment_of(purchase, total_amount="128.01"))

    for _ in range(2):
        assert await post(stage, form) == (200, "success")

    assert await purchase.state() == "PLACED"
    assert await stage.said(OrderPaid, purchase.order_id) == []
    evidence = await stage.value(
        "select sealed_evidence from payment_incidents where attempt_id = $1", purchase.attempt_id
    )
    assert stage.world.seals.open(evidence) == urlencode(form)
    assert "a_field_of_next_year" in urlencode(form)


async def test_a_notify_about_another_order_does_not_touch_this_one(stage: Stage, itself: AlipayItself) -> None:
    deal = await stage.sell()
    purchase, other = await stage.placed(deal), await stage.placed(deal)
    await purchase.pay_url()
    await other.pay_url()

    assert await post(stage, itself.signed(payment_of(other))) == (200, "success")

    assert (await purchase.state(), await other.state()) == ("PLACED", "PAID")


async def test_success_is_answered_only_after_the_commit(stage: Stage, itself: AlipayItself) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.placed(deal)
    await purchase.pay_url()
    genuine = itself.signed(payment_of(purchase))
    seals = stage.world.seals
    # Without dispatch's key the order cannot be told, so the transaction fails as a whole.
    object.__setattr__(stage.world, "seals", Seals({"checkout": {"k": "A" * 43 + "="}}))

    answer = await stage.http.post("/alipay/notify", data=genuine)
    assert (answer.status_code, "success" in answer.text) == (500, False)
    assert await purchase.state() == "PLACED"

    object.__setattr__(stage.world, "seals", seals)
    assert await post(stage, genuine) == (200, "success")
    assert await purchase.state() == "PAID"


async def post(stage: Stage, form: Form | str | bytes) -> tuple[int, str]:
    """What Alipay reads: the status, and the text that is exactly `success` or is none."""
    content = urlencode(form) if isinstance(form, dict) else form
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = await stage.http.post("/alipay/notify", content=content, headers=headers)
    return answer.status_code, answer.text


async def everything_about(stage: Stage, purchase: Purchase) -> list[Any]:
    """All rows that a notify about this purchase could have touched, to the byte."""
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            """select to_jsonb(a)::text from payment_attempts a where order_id = $1
               union all select to_jsonb(o)::text from orders o where order_id = $1
               union all select to_jsonb(i)::text from payment_incidents i where attempt_id = $2
               union all select to_jsonb(t)::text from order_timeline t where order_id = $1
               union all select to_jsonb(t)::text from timers t where key in ($1::text, $2::text)
               union all select event_id::text from history where aggregate_id = $1::text
               union all select to_jsonb(s)::text from stock s where deal_id = $3
               order by 1""",
            purchase.order_id,
            purchase.attempt_id,
            purchase.deal.deal_id,
        )
    return [row[0] for row in rows]
