"""What settlement refuses about refunds at the channel, each with a stable code and both languages."""

from shared.errors import Conflict, NotFound


class TradeUnknown(NotFound):
    code = "trade_unknown"
    zh = "未找到该交易"
    en = "No order here was paid by this trade"


class RefundExceedsTrade(Conflict):
    """Facts: paid_fen."""

    code = "refund_exceeds_trade"
    zh = "退款金额超过该交易的付款金额"
    en = "The refund exceeds what the trade paid"


class ExternalRefundUnknown(NotFound):
    code = "external_refund_unknown"
    zh = "未登记该渠道退款"
    en = "No such refund at the channel has been found"
