"""The outside world: a payment channel, and Alipay with its four ways to pay as one."""

from datetime import datetime
from typing import Any, Protocol

from services.checkout.domain.payments import Attempt, Channel, CodeAnswer, Trade, TradeState, WayToPay
from services.checkout.domain.refunds import Refund, RefundAnswer, RefundOutcome
from shared.alipay import AlipayClient, Answer, Outcome, read_wire_time, wire_time
from shared.contracts.catalog import Rail
from shared.money import fen, yuan

_SUBJECT_MAX = 128
_CODE_MAX = 1024  # what fits into a symbol that a phone can read
_PRODUCT_CODES = {
    Channel.ALIPAY_WAP: "QUICK_WAP_PAY",
    Channel.ALIPAY_PAGE: "FAST_INSTANT_TRADE_PAY",
    Channel.ALIPAY_APP: "QUICK_MSECURITY_PAY",
}
_FORBIDDEN = str.maketrans("/=&", "   ")


class PaymentGateway(Protocol):
    """What checkout asks of a channel. No call raises for what the channel or the network does."""

    def way_to_pay(self, attempt: Attempt, title: str) -> WayToPay:
        """What the buyer needs to pay this attempt, under this title; a code only once the channel has given it."""
        ...

    async def fetch_code(self, attempt: Attempt, title: str) -> CodeAnswer:
        """Ask for the code of an attempt to be scanned. Safe to repeat: every code leads to the same trade."""
        ...

    async def query(self, attempt: Attempt) -> Trade:
        """What the channel knows about the attempt."""
        ...

    async def close(self, attempt: Attempt) -> Trade:
        """Close the attempt unless it is paid; what the channel knows about it then."""
        ...

    async def refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        """Send money back. Safe to repeat: the refund's own number tells copies apart."""
        ...

    async def query_refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        """Whether the money of this refund went back."""
        ...


class AlipayGateway:
    """Alipay with 直付通: the merchant's share waits there until settlement confirms it."""

    def __init__(self, alipay: AlipayClient, qr_product_code: str = "FACE_TO_FACE_PAYMENT") -> None:
        self._alipay = alipay
        self._product_codes = {**_PRODUCT_CODES, Channel.ALIPAY_QR: qr_product_code}

    def way_to_pay(self, attempt: Attempt, title: str) -> WayToPay:
        """Freshly signed each time; the trade does not exist until the buyer opens it."""
        content = self._content(attempt, title)
        back = self._way_back(attempt)
        match attempt.channel:
            case Channel.ALIPAY_WAP:
                link = self._alipay.page_url("alipay.trade.wap.pay", {**content, "quit_url": back}, back)
                return WayToPay(pay_url=link)
            case Channel.ALIPAY_PAGE:
                return WayToPay(pay_url=self._alipay.page_url("alipay.trade.page.pay", content, back))
            case Channel.ALIPAY_APP:
                return WayToPay(app_order=self._alipay.order_string("alipay.trade.app.pay", content))
            case Channel.ALIPAY_QR:
                return WayToPay(qr_code=attempt.qr_code)

    async def fetch_code(self, attempt: Attempt, title: str) -> CodeAnswer:
        """`alipay.trade.precreate`."""
        content = self._content(attempt, title)
        answer = await self._alipay.call("alipay.trade.precreate", content, self._alipay.settings.notify_url)
        if answer.outcome is Outcome.REFUSED:
            return CodeAnswer(refusal=answer.sub_code or answer.code)
        code = answer.fields.get("qr_code") if answer.outcome is Outcome.OK else None
        return CodeAnswer(code=code if isinstance(code, str) and 0 < len(code) <= _CODE_MAX else None)

    def _way_back(self, attempt: Attempt) -> str:
        return f"{self._alipay.settings.return_url}/{attempt.order_id}/result"

    def _content(self, attempt: Attempt, title: str) -> dict[str, Any]:
        amount = yuan(attempt.amount_fen)
        content: dict[str, Any] = {
            "out_trade_no": attempt.out_trade_no,
            "total_amount": amount,
            "subject": _subject(title),
            "product_code": self._product_codes[attempt.channel],
            # The order's own end, so that money cannot come in after it.
            "time_expire": wire_time(attempt.expires_at),
        }
        if attempt.payee.rail is Rail.ZHIFUTONG:
            content["sub_merchant"] = {"merchant_id": attempt.payee.sub_merchant_id}
            content["settle_info"] = {"settle_detail_infos": [{"trans_in_type": "defaultSettle", "amount": amount}]}
        return content

    async def query(self, attempt: Attempt) -> Trade:
        """`alipay.trade.query`."""
        return _trade(await self._alipay.call("alipay.trade.query", {"out_trade_no": attempt.out_trade_no}))

    async def close(self, attempt: Attempt) -> Trade:
        """`alipay.trade.close`; when that does not settle it (paid meanwhile, or no answer), `alipay.trade.query`."""
        answer = await self._alipay.call("alipay.trade.close", {"out_trade_no": attempt.out_trade_no})
        if answer.outcome is Outcome.OK:
            return Trade(TradeState.CLOSED)
        if _says_not_there(answer):
            return Trade(TradeState.NOT_THERE)
        return await self.query(attempt)

    async def refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        """`alipay.trade.refund`. Without a change of funds in the answer the refund query decides."""
        answer = await self._alipay.call(
            "alipay.trade.refund",
            {
                "trade_no": attempt.trade_no,
                "refund_amount": yuan(refund.amount_fen),
                "out_request_no": refund.out_request_no,
                "refund_reason": refund.reason[:_SUBJECT_MAX],
            },
        )
        if answer.outcome is Outcome.REFUSED:
            return RefundAnswer(RefundOutcome.REFUSED, answer.sub_code or answer.code)
        if answer.outcome is Outcome.NOT_SENT:
            return RefundAnswer(RefundOutcome.NOT_DONE)
        if answer.outcome is Outcome.UNKNOWN:
            return RefundAnswer(RefundOutcome.UNKNOWN)
        if answer.fields.get("fund_change") == "Y":
            return RefundAnswer(RefundOutcome.SUCCEEDED)
        return await self.query_refund(refund, attempt)

    async def query_refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        """`alipay.trade.fastpay.refund.query`. Code 10000 alone does not mean refunded: the refund's fields do."""
        answer = await self._alipay.call(
            "alipay.trade.fastpay.refund.query",
            {"trade_no": attempt.trade_no, "out_request_no": refund.out_request_no},
        )
        if answer.outcome is not Outcome.OK:
            return RefundAnswer(RefundOutcome.UNKNOWN)
        if answer.fields.get("refund_status") == "REFUND_SUCCESS":
            return RefundAnswer(RefundOutcome.SUCCEEDED)
        return RefundAnswer(RefundOutcome.NOT_DONE)


def _subject(title: str) -> str:
    """A title without the three characters that Alipay forbids in one."""
    return title.translate(_FORBIDDEN)[:_SUBJECT_MAX]


def _says_not_there(answer: Answer) -> bool:
    return answer.outcome is Outcome.REFUSED and answer.sub_code == "ACQ.TRADE_NOT_EXIST"


def _trade(answer: Answer) -> Trade:
    if _says_not_there(answer):
        return Trade(TradeState.NOT_THERE)
    if answer.outcome is not Outcome.OK:
        return Trade(TradeState.UNKNOWN)
    fields = {name: value for name, value in answer.fields.items() if isinstance(value, str)}
    return read_trade(fields, paid_at_field="send_pay_date")


def read_trade(fields: dict[str, str], paid_at_field: str) -> Trade:
    """A trade from the fields of a query's answer or a notify; UNKNOWN if they are not what Alipay documents."""
    try:
        paid_at = _moment(fields.get(paid_at_field))
        total_fen = fen(fields["total_amount"])
    except (KeyError, ValueError):
        return Trade(TradeState.UNKNOWN)
    if total_fen <= 0:
        return Trade(TradeState.UNKNOWN)
    trade_no = fields.get("trade_no", "")
    match fields.get("trade_status"):
        case "WAIT_BUYER_PAY":
            state = TradeState.WAITING
        case "TRADE_SUCCESS" | "TRADE_FINISHED" if trade_no:
            state = TradeState.PAID
        case "TRADE_CLOSED":
            # Closed means unpaid in time, or fully refunded: only traces of a payment tell them apart.
            returned = paid_at is not None or "gmt_refund" in fields or "refund_fee" in fields
            state = TradeState.PAID_AND_RETURNED if returned else TradeState.CLOSED
        case _:
            state = TradeState.UNKNOWN
    return Trade(state, trade_no, total_fen, paid_at)


def _moment(text: str | None) -> datetime | None:
    return read_wire_time(text) if text else None
