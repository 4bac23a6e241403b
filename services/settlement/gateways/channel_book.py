"""What Alipay answers about one trade or transfer now, by its number, before any bill has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.settlement.domain.bills import BillLine, Movement
from shared.alipay import AlipayClient, Outcome, read_wire_time
from shared.money import fee_fen, fen

_TRADE = "alipay.trade.query"
_REFUND = "alipay.trade.fastpay.refund.query"
_TRANSFER = "alipay.fund.trans.common.query"
_NOTHING_THERE = frozenset({"ACQ.TRADE_NOT_EXIST", "ORDER_NOT_EXIST"})


class NoAnswer(Exception):
    """The channel did not say what it knows; asking again may help."""


@dataclass(frozen=True, slots=True)
class ChannelBook:
    """Asks one trade at a time. The fee of a confirm stands in no answer, only in the bill: until then it is the one
    agreed with Alipay, `fee_bp` of the channel's own amount."""

    alipay: AlipayClient
    fee_bp: int

    async def trade(self, out_trade_no: str, refunds: Sequence[str]) -> list[BillLine]:
        """The payment of a trade, its confirms, and those of its refunds that are named. Raises NoAnswer."""
        fields = await self._ask(_TRADE, {"out_trade_no": out_trade_no, "query_options": ["trade_settle_info"]})
        if not fields.get("send_pay_date"):
            return []
        trade_no = str(fields.get("trade_no", ""))
        paid = _line(Movement.PAYMENT, out_trade_no, trade_no, fields, "total_amount", "send_pay_date", out_trade_no)
        found = [paid, *self._confirms(out_trade_no, trade_no, fields)]
        for number in refunds:
            answer = await self._ask(
                _REFUND,
                {"out_trade_no": out_trade_no, "out_request_no": number, "query_options": ["gmt_refund_pay"]},
            )
            if answer.get("refund_status") == "REFUND_SUCCESS":
                line = _line(Movement.REFUND, number, trade_no, answer, "refund_amount", "gmt_refund_pay", out_trade_no)
                found.append(line)
        return found

    async def transfer(self, number: str) -> list[BillLine]:
        """A transfer, if it has arrived. Raises NoAnswer."""
        fields = await self._ask(_TRANSFER, {
            "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER", "out_biz_no": number,
        })  # fmt: skip
        if fields.get("status") != "SUCCESS":
            return []
        moment = "trans_date" if "trans_date" in fields else "pay_date"
        return [_line(Movement.TRANSFER, number, str(fields.get("order_id", "")), fields, "trans_amount", moment)]

    def _confirms(self, out_trade_no: str, trade_no: str, fields: Mapping[str, Any]) -> list[BillLine]:
        info = fields.get("trade_settle_info")
        details = info.get("trade_settle_detail_list") if isinstance(info, dict) else None
        found = []
        for detail in details if isinstance(details, list) else []:
            if isinstance(detail, dict) and detail.get("operation_type") == "settle":
                number = str(detail.get("operation_serial_no", ""))
                line = _line(Movement.PAYOUT, number, trade_no, detail, "amount", "operation_dt", out_trade_no)
                fee = fee_fen(line.amount_fen, self.fee_bp)
                found.append(BillLine(line.movement, number, trade_no, line.amount_fen, fee, line.at, out_trade_no))
        return found

    async def _ask(self, method: str, content: Mapping[str, object]) -> Mapping[str, Any]:
        answer = await self.alipay.call(method, content)
        if answer.outcome is Outcome.REFUSED and answer.sub_code in _NOTHING_THERE:
            return {}
        if answer.outcome is not Outcome.OK:
            raise NoAnswer(f"{answer.sub_code or answer.code} {answer.text}".strip())
        return answer.fields


def _line(
    movement: Movement,
    number: str,
    trade_no: str,
    fields: Mapping[str, Any],
    amount: str,
    moment: str,
    out_trade_no: str = "",
) -> BillLine:
    try:
        at: datetime = read_wire_time(str(fields[moment]))
        return BillLine(movement, number, trade_no, fen(str(fields[amount])), 0, at, out_trade_no)
    except (KeyError, ValueError) as error:
        raise NoAnswer(f"{movement} {number}: {error}") from error
