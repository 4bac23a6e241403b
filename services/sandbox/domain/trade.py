"""One Alipay trade: its states, and how its money divides between buyer, sub-merchant and fee."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.sandbox.domain.money import share_half_up
from services.sandbox.domain.refusals import AlipayRefusal


class TradeState(StrEnum):
    WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
    TRADE_SUCCESS = "TRADE_SUCCESS"
    TRADE_FINISHED = "TRADE_FINISHED"
    TRADE_CLOSED = "TRADE_CLOSED"


@dataclass(frozen=True, slots=True)
class Trade:
    """What Alipay knows of a trade; amounts in fen, `confirmed_fen` before the fee."""

    trade_no: str
    out_trade_no: str
    subject: str
    total_fen: int
    state: TradeState
    smid: str | None
    settle_info: str
    passback_params: str
    notify_url: str
    return_url: str
    quit_url: str
    buyer_id: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    refunded_fen: int
    clawed_back_fen: int
    confirmed_fen: int

    @property
    def held_fen(self) -> int:
        """What Alipay still keeps of the buyer's money: neither returned nor confirmed to the sub-merchant."""
        if self.paid_at is None:
            return 0
        return self.total_fen - (self.refunded_fen - self.clawed_back_fen) - self.confirmed_fen

    @property
    def refundable_fen(self) -> int:
        return 0 if self.paid_at is None else self.total_fen - self.refunded_fen


def aged(trade: Trade, now: datetime, refund_days: int) -> TradeState:
    """The state that the passing of time alone has brought: unpaid → closed, past the refund term → finished."""
    if trade.state is TradeState.WAIT_BUYER_PAY and now >= trade.expires_at:
        return TradeState.TRADE_CLOSED
    if trade.state is TradeState.TRADE_SUCCESS and trade.paid_at and now >= trade.paid_at + timedelta(days=refund_days):
        return TradeState.TRADE_FINISHED
    return trade.state


def check_closable(trade: Trade) -> None:
    """Only an unpaid trade can be closed by the shop."""
    if trade.state is TradeState.TRADE_CLOSED:
        raise AlipayRefusal("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if trade.state is not TradeState.WAIT_BUYER_PAY:
        raise AlipayRefusal("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常，非待支付状态下不支持关单操作")


@dataclass(frozen=True, slots=True)
class RefundSplit:
    """Where a refund's money comes from: what Alipay holds first, then the sub-merchant's own balance."""

    from_held_fen: int
    from_merchant_fen: int
    closes_trade: bool


def split_refund(trade: Trade, amount_fen: int, merchant_balance_fen: int) -> RefundSplit:
    """Refuse what may not be refunded, else say where the money is taken."""
    if trade.state is TradeState.WAIT_BUYER_PAY:
        raise AlipayRefusal("ACQ.TRADE_STATUS_ERROR", "交易状态非法，交易尚未付款")
    if trade.state is TradeState.TRADE_FINISHED:
        raise AlipayRefusal("ACQ.TRADE_HAS_FINISHED", "交易已完结，不允许退款")
    if trade.state is TradeState.TRADE_CLOSED:
        raise AlipayRefusal("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if amount_fen <= 0:
        raise AlipayRefusal("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
    if amount_fen > trade.refundable_fen:
        raise AlipayRefusal("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
    from_held_fen = min(amount_fen, trade.held_fen)
    from_merchant_fen = amount_fen - from_held_fen
    if from_merchant_fen > merchant_balance_fen:
        raise AlipayRefusal("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
    return RefundSplit(from_held_fen, from_merchant_fen, closes_trade=amount_fen == trade.refundable_fen)


def fee_of_confirm(trade: Trade, amount_fen: int, fee_bp: int, partial_allowed: bool) -> int:
    """Refuse what may not be confirmed to the sub-merchant, else the fee in fen that Alipay keeps of it."""
    if trade.smid is None:
        raise AlipayRefusal("ACQ.TRADE_SETTLE_ERROR", "交易不是直付通交易，不能确认结算")
    if trade.state is not TradeState.TRADE_SUCCESS and trade.state is not TradeState.TRADE_FINISHED:
        raise AlipayRefusal("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    if amount_fen <= 0 or amount_fen > trade.held_fen:
        raise AlipayRefusal("ACQ.TRADE_SETTLE_ERROR", "结算金额超过待结算金额")
    if not partial_allowed and amount_fen != trade.held_fen:
        raise AlipayRefusal("ACQ.TRADE_SETTLE_ERROR", "该商户不支持分笔确认结算，结算金额必须等于待结算金额")
    return share_half_up(amount_fen, fee_bp)
