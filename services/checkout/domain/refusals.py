"""Everything checkout refuses, each with a stable code and both languages."""

from shared.errors import Conflict, Invalid, NotFound, PreconditionFailed


class DealVersionChanged(PreconditionFailed):
    """Facts: deal_version, price_fen of what is sold now."""

    code = "deal_version_changed"
    zh = "团购内容已更新，请确认后重新下单"
    en = "The deal has been updated; please look again before you order"


class DealSoldOut(Conflict):
    """Facts: available."""

    code = "deal_sold_out"
    zh = "库存不足，仅剩 {available} 份"
    en = "Not enough left: {available} available"


class DealOffline(Conflict):
    code = "deal_offline"
    zh = "该团购已下架"
    en = "This deal is not on sale"


class SaleNotStarted(Conflict):
    code = "sale_not_started"
    zh = "该团购尚未开售"
    en = "The sale has not started yet"


class SaleEnded(Conflict):
    code = "sale_ended"
    zh = "该团购已结束"
    en = "The sale has ended"


class BuyerLimitReached(Conflict):
    """Facts: left, how many this buyer may still order."""

    code = "buyer_limit_reached"
    zh = "超出限购数量，还可购买 {left} 份"
    en = "Over the limit per buyer: {left} more allowed"


class PaymentNotOffered(Conflict):
    """The channel will not open the payment this way. Facts: reason, in the channel's own code."""

    code = "payment_not_offered"
    zh = "该支付方式暂不可用，请换一种方式"
    en = "This way to pay is not available now; please choose another"


class MerchantCannotSell(Conflict):
    code = "merchant_cannot_sell"
    zh = "商家暂时无法收款"
    en = "The merchant cannot take payments at the moment"


class DeliveryNeeded(Invalid):
    code = "delivery_needed"
    zh = "请选择配送方式并填写收货地址"
    en = "Please choose a delivery mode and give an address"


class DeliveryModeNotOffered(Invalid):
    code = "delivery_mode_not_offered"
    zh = "该团购不支持此配送方式"
    en = "This deal does not offer that delivery mode"


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    zh = "手机号码有误"
    en = "The phone number is not valid"


class OrderNotFound(NotFound):
    code = "order_not_found"
    zh = "未找到该订单"
    en = "There is no such order"


class OrderNotPayable(Conflict):
    """Facts: state."""

    code = "order_not_payable"
    zh = "该订单已无法支付"
    en = "This order can no longer be paid"


class PreviousPaymentOpen(Conflict):
    """The earlier attempt could not be closed at the channel yet; asking again in some seconds helps."""

    code = "previous_payment_open"
    zh = "上一次支付正在确认，请稍后再试"
    en = "An earlier payment is still being checked; please try again shortly"


class OrderNotPaid(Conflict):
    code = "order_not_paid"
    zh = "该订单未支付或已关闭，无法退款"
    en = "This order is not paid, so there is nothing to refund"


class UnitNotOfOrder(Invalid):
    code = "unit_not_of_order"
    zh = "所选券不属于该订单"
    en = "One of these units does not belong to the order"


class UsedUnitsApart(Conflict):
    code = "used_units_apart"
    zh = "已使用和未使用的部分请分开申请退款"
    en = "Please ask for used and unused units in two separate requests"


class ReviewPeriodOver(Conflict):
    """Facts: until, the moment at which the time to ask ended."""

    code = "review_period_over"
    zh = "已超过使用后申请退款的期限"
    en = "The time to ask for money back after the use is over"


class AlreadyReviewed(Conflict):
    """A review that ended against the buyer is not held twice: each one keeps the merchant's money back."""

    code = "already_reviewed"
    zh = "该笔退款已审核完毕，不能重复申请"
    en = "A refund of one of these units has been reviewed and refused"


class ReviewNotOpen(Conflict):
    """Facts: state. Somebody else has answered, or the time to answer is over, which counts as a yes."""

    code = "review_not_open"
    zh = "该退款已处理或已超时，无法再审核"
    en = "This refund has been answered already, or the time to answer is over"


class ReviewReasonNeeded(Invalid):
    code = "review_reason_needed"
    zh = "请填写不同意退款的理由"
    en = "Please say why you refuse"


class AppealNotOpen(Conflict):
    """Facts: state."""

    code = "appeal_not_open"
    zh = "该退款当前不能申诉，或申诉期已过"
    en = "This refund cannot be appealed now, or the time to do so is over"


class ArbitrationNotOpen(Conflict):
    """Facts: state."""

    code = "arbitration_not_open"
    zh = "该申诉已裁定，或尚未提出"
    en = "This appeal has been decided already, or there is none"


class RefundOnExpiryOnly(Conflict):
    """Facts: refundable_from, the moment of the expiry."""

    code = "refund_on_expiry_only"
    zh = "该团购不支持主动退款，到期未使用自动退款"
    en = "This deal is refunded only when it expires unused, and then by itself"


class RefundUnderWay(Conflict):
    code = "refund_under_way"
    zh = "所选券正在退款中"
    en = "One of these units is already being refunded"


class UnitRefunded(Conflict):
    code = "unit_refunded"
    zh = "所选券已退款"
    en = "One of these units has already been refunded"


class WholeParcelOnly(Conflict):
    code = "whole_parcel_only"
    zh = "配送订单仅支持整单退款"
    en = "A delivery order can only be refunded as a whole"


class RefundNotFound(NotFound):
    code = "refund_not_found"
    zh = "未找到该退款"
    en = "There is no such refund"


class RefundNotStuck(Conflict):
    """Facts: state."""

    code = "refund_not_stuck"
    zh = "该退款无需人工处理"
    en = "This refund does not wait for an operator"


class MassRefundNotFound(NotFound):
    code = "mass_refund_not_found"
    zh = "未找到该批量退款"
    en = "There is no such mass refund"


class DealUnknown(NotFound):
    code = "deal_not_found"
    zh = "未找到该团购"
    en = "There is no such deal"


class TradeNotOfOrder(Conflict):
    """Facts: out_trade_no. Nobody asked, so this is parked for an operator."""

    code = "trade_not_of_order"
    zh = "该交易不是订单的付款交易"
    en = "This trade is not the one that paid the order"


class ExternalRefundNotFound(NotFound):
    code = "external_refund_not_found"
    zh = "未找到该渠道退款"
    en = "There is no such refund at the channel"


class ExternalRefundAllocated(Conflict):
    code = "external_refund_allocated"
    zh = "该渠道退款已分配"
    en = "This refund at the channel has been allocated already"


class AllocationDoesNotFit(Conflict):
    """Facts: amount_fen that was refunded, units_fen that is left of the units."""

    code = "allocation_does_not_fit"
    zh = "所选券的金额与渠道退款金额不一致"
    en = "The units are not worth what was refunded at the channel"


class SearchTooWide(Invalid):
    code = "search_too_wide"
    zh = "请输入订单号或交易号"
    en = "Give an order number or a trade number"


class IncidentNotFound(NotFound):
    code = "incident_not_found"
    zh = "未找到该支付异常"
    en = "There is no such payment incident"
