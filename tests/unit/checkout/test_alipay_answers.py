"""How Alipay's answers are read: every trap that looks like a fact and is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.checkout.domain.offers import Payee
from services.checkout.domain.payments import Attempt, AttemptState, Channel, CodeAnswer, Trade, TradeState
from services.checkout.domain.refunds import Refund, RefundOutcome, RefundState
from services.checkout.gateways import AlipayGateway, read_trade
from shared.alipay import AlipayClient, AlipaySettings, Answer, Outcome
from shared.contracts.catalog import Rail
from shared.ids import new_id

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
NOT_THERE = Answer(Outcome.REFUSED, {}, "40004", "ACQ.TRADE_NOT_EXIST")
PAID = Answer(
    Outcome.OK,
    {
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "128.00",
        "trade_no": "t1",
        "send_pay_date": "2026-11-20 12:00:00",
    },
)


@dataclass
class Scripted(AlipayClient):
    """Answers each method with its next scripted answer and remembers what was asked."""

    answers: dict[str, list[Answer]]
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    settings: AlipaySettings = field(default_factory=AlipaySettings)

    async def call(self, method: str, biz_content: Mapping[str, Any], notify_url: str = "") -> Answer:
        self.asked.append((method, biz_content))
        return self.answers[method.removeprefix("alipay.trade.")].pop(0)


def attempt() -> Attempt:
    return Attempt(
        new_id(), new_id(), Channel.ALIPAY_WAP, 12_800, Payee(Rail.ZHIFUTONG, "2088"), AttemptState.CLOSING, NOON, NOON,
        "t1", 12_800, 0,
    )  # fmt: skip


def refund() -> Refund:
    return Refund(
        new_id(), new_id(), new_id(), "BUYER", RefundState.SENT, 12_800, "不想要了", None, NOON, None, None, 1, {}
    )  # fmt: skip


async def closed(*, close: Answer, query: Answer | None = None) -> TradeState:
    answers = {"close": [close], "query": [query] if query else []}
    return (await AlipayGateway(Scripted(answers)).close(attempt())).state


async def test_a_close_is_believed_when_it_says_closed_or_not_there() -> None:
    assert await closed(close=Answer(Outcome.OK)) is TradeState.CLOSED
    assert await closed(close=NOT_THERE) is TradeState.NOT_THERE


@pytest.mark.parametrize(
    "close",
    [
        Answer(Outcome.REFUSED, {}, "40004", "ACQ.REASON_TRADE_STATUS_INVALID"),
        Answer(Outcome.REFUSED, {}, "40004", "ACQ.TRADE_HAS_CLOSE"),
        Answer(Outcome.UNKNOWN),
        Answer(Outcome.NOT_SENT),
    ],
)
async def test_any_other_answer_to_a_close_is_settled_by_a_query(close: Answer) -> None:
    assert await closed(close=close, query=PAID) is TradeState.PAID
    assert await closed(close=close, query=NOT_THERE) is TradeState.NOT_THERE
    assert await closed(close=close, query=Answer(Outcome.UNKNOWN)) is TradeState.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, TradeState.PAID),
        ({"trade_status": "TRADE_FINISHED"}, TradeState.PAID),
        ({"total_amount": "-128.00"}, TradeState.UNKNOWN),
        ({"total_amount": "0.00"}, TradeState.UNKNOWN),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": "", "refund_fee": "128.00"}, TradeState.PAID_AND_RETURNED),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": "", "gmt_refund": "x"}, TradeState.PAID_AND_RETURNED),
        ({"trade_status": "WAIT_BUYER_PAY"}, TradeState.WAITING),
        ({"trade_status": "TRADE_CLOSED"}, TradeState.PAID_AND_RETURNED),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": ""}, TradeState.CLOSED),
        ({"trade_status": "SOMETHING_NEW"}, TradeState.UNKNOWN),
        ({"trade_status": ""}, TradeState.UNKNOWN),
        ({"trade_no": ""}, TradeState.UNKNOWN),
        ({"total_amount": ""}, TradeState.UNKNOWN),
        ({"total_amount": "1e5"}, TradeState.UNKNOWN),
        ({"send_pay_date": "yesterday"}, TradeState.UNKNOWN),
    ],
)
def test_a_trade_is_what_its_fields_say(changes: dict[str, str], state: TradeState) -> None:
    fields = {name: str(value) for name, value in PAID.fields.items()} | changes

    assert read_trade(fields, "send_pay_date").state is state


def test_a_paid_trade_is_read_to_the_fen_and_in_utc() -> None:
    fields = {name: str(value) for name, value in PAID.fields.items()}

    assert read_trade(fields, "send_pay_date") == Trade(TradeState.PAID, "t1", 12_800, NOON)


@pytest.mark.parametrize(
    ("answer", "query", "outcome"),
    [
        (Answer(Outcome.OK, {"fund_change": "Y"}), None, RefundOutcome.SUCCEEDED),
        (Answer(Outcome.OK, {"fund_change": "N"}), {"refund_status": "REFUND_SUCCESS"}, RefundOutcome.SUCCEEDED),
        (Answer(Outcome.OK, {"fund_change": "N"}), {}, RefundOutcome.NOT_DONE),
        (Answer(Outcome.REFUSED, {}, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), None, RefundOutcome.REFUSED),
        (Answer(Outcome.UNKNOWN), None, RefundOutcome.UNKNOWN),
        (Answer(Outcome.NOT_SENT), None, RefundOutcome.NOT_DONE),
    ],
)
async def test_a_refund_is_done_only_when_money_moved(
    answer: Answer, query: dict[str, str] | None, outcome: RefundOutcome
) -> None:
    queries = [Answer(Outcome.OK, query)] if query is not None else []
    channel = AlipayGateway(Scripted({"refund": [answer], "fastpay.refund.query": queries}))

    assert (await channel.refund(refund(), attempt())).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(Outcome.OK, {"refund_status": "REFUND_SUCCESS"}), RefundOutcome.SUCCEEDED),
        (Answer(Outcome.OK, {}), RefundOutcome.NOT_DONE),
        (Answer(Outcome.OK, {"refund_status": "REFUND_PROCESSING"}), RefundOutcome.NOT_DONE),
        (Answer(Outcome.REFUSED, {}, "40004", "ACQ.TRADE_NOT_EXIST"), RefundOutcome.UNKNOWN),
        (Answer(Outcome.UNKNOWN), RefundOutcome.UNKNOWN),
    ],
)
async def test_code_10000_of_a_refund_query_does_not_mean_refunded(answer: Answer, outcome: RefundOutcome) -> None:
    channel = AlipayGateway(Scripted({"fastpay.refund.query": [answer]}))

    assert (await channel.query_refund(refund(), attempt())).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            Answer(Outcome.OK, {"qr_code": "https://qr.alipay.example/1"}),
            CodeAnswer(code="https://qr.alipay.example/1"),
        ),
        (Answer(Outcome.OK, {}), CodeAnswer()),
        (Answer(Outcome.OK, {"qr_code": ""}), CodeAnswer()),
        (Answer(Outcome.OK, {"qr_code": "x" * 1025}), CodeAnswer()),
        (Answer(Outcome.OK, {"qr_code": {"is": "no text"}}), CodeAnswer()),
        (Answer(Outcome.REFUSED, {}, "40004", "ACQ.TRADE_HAS_CLOSE"), CodeAnswer(refusal="ACQ.TRADE_HAS_CLOSE")),
        (Answer(Outcome.REFUSED, {}, "40004"), CodeAnswer(refusal="40004")),
        (Answer(Outcome.UNKNOWN, {"qr_code": "https://from.an.unsigned.answer"}), CodeAnswer()),
        (Answer(Outcome.NOT_SENT), CodeAnswer()),
    ],
)
async def test_a_code_is_there_refused_or_unknown(answer: Answer, expected: CodeAnswer) -> None:
    channel = AlipayGateway(Scripted({"precreate": [answer]}))

    assert await channel.fetch_code(attempt(), "火锅") == expected


@pytest.mark.parametrize("product", ["FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"])
async def test_the_code_is_asked_for_under_the_product_that_was_signed_for(product: str) -> None:
    alipay = Scripted({"precreate": [Answer(Outcome.OK, {"qr_code": "https://qr.alipay.example/1"})]})
    await AlipayGateway(alipay, product).fetch_code(replace(attempt(), channel=Channel.ALIPAY_QR), "火锅")
    assert [content["product_code"] for _, content in alipay.asked] == [product]
