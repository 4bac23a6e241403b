"""An order's timeline: what happened, in words for the buyer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class What(StrEnum):
    """One kind of entry; the value is stable and goes to clients."""

    PLACED = "PLACED"
    PAID = "PAID"
    CLOSED = "CLOSED"
    ISSUED = "ISSUED"
    USED = "USED"
    USE_REVERSED = "USE_REVERSED"
    PARCEL_ACCEPTED = "PARCEL_ACCEPTED"
    PARCEL_HANDED_OVER = "PARCEL_HANDED_OVER"
    PARCEL_DELIVERED = "PARCEL_DELIVERED"
    PARCEL_RECEIVED = "PARCEL_RECEIVED"
    PARCEL_FAILED = "PARCEL_FAILED"
    STORE_CLOSED = "STORE_CLOSED"
    MERCHANT_SUSPENDED = "MERCHANT_SUSPENDED"
    ISSUE_FAILED = "ISSUE_FAILED"
    EXPIRING = "EXPIRING"
    """`about` is the number of days."""
    EXPIRED = "EXPIRED"
    CAMPAIGN = "CAMPAIGN"
    REFUND_REQUESTED = "REFUND_REQUESTED"
    REVIEW_OPENED = "REVIEW_OPENED"
    REVIEW_AGREED = "REVIEW_AGREED"
    REVIEW_UNANSWERED = "REVIEW_UNANSWERED"
    REVIEW_REFUSED = "REVIEW_REFUSED"
    REVIEW_UNDELIVERED = "REVIEW_UNDELIVERED"
    APPEALED = "APPEALED"
    NOT_APPEALED = "NOT_APPEALED"
    APPEAL_UPHELD = "APPEAL_UPHELD"
    APPEAL_DISMISSED = "APPEAL_DISMISSED"
    REFUND_REFUSED = "REFUND_REFUSED"
    REFUND_SUCCEEDED = "REFUND_SUCCEEDED"
    REFUND_ABANDONED = "REFUND_ABANDONED"
    REFUNDED_OUTSIDE = "REFUNDED_OUTSIDE"
    STRAY_MONEY = "STRAY_MONEY"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    what: What
    about: str = ""

    def text(self, language: str) -> str:
        """The sentence for the buyer, in `zh` or `en`."""
        zh, en = TEXTS[self.what]
        return (zh if language == "zh" else en).format(about=self.about)


TEXTS: dict[What, tuple[str, str]] = {
    What.PLACED: ("提交订单", "Order placed"),
    What.PAID: ("支付成功", "Paid"),
    What.CLOSED: ("超时未支付，订单已关闭", "Closed: not paid in time"),
    What.ISSUED: ("券码已发放", "Certificates issued"),
    What.USED: ("已核销", "Used in store"),
    What.USE_REVERSED: ("门店已撤销核销，该次可重新使用", "The store undid a use; it is yours to use again"),
    What.PARCEL_ACCEPTED: ("商家已接单", "Accepted by the merchant"),
    What.PARCEL_HANDED_OVER: ("商品已发出", "On its way"),
    What.PARCEL_DELIVERED: ("商品已送达", "Delivered"),
    What.PARCEL_RECEIVED: ("已确认收货", "Receipt confirmed"),
    What.PARCEL_FAILED: ("配送未能完成，自动退款", "Delivery failed; refunding automatically"),
    What.STORE_CLOSED: ("可用门店均已停业，自动退款", "No store is left that takes it; refunding automatically"),
    What.MERCHANT_SUSPENDED: ("商家已被暂停营业，自动退款", "The merchant is suspended; refunding automatically"),
    What.ISSUE_FAILED: ("未能出码，自动退款", "No code came in time; refunding automatically"),
    What.EXPIRING: ("还有 {about} 天到期，请尽快使用", "Expires in {about} day(s); use it soon"),
    What.EXPIRED: ("到期未使用，自动退款", "Expired unused; refunding automatically"),
    What.CAMPAIGN: ("活动已取消，自动退款", "The campaign is called off; refunding automatically"),
    What.REFUND_REQUESTED: ("已申请退款", "Refund requested"),
    What.REVIEW_OPENED: ("退款申请等待商家审核", "The merchant reviews the refund"),
    What.REVIEW_AGREED: ("商家同意退款", "The merchant agreed to the refund"),
    What.REVIEW_UNANSWERED: ("商家超时未处理，视为同意退款", "The merchant did not answer in time: refund approved"),
    What.REVIEW_UNDELIVERED: ("商品未能送达，无需商家审核", "The goods will not arrive: no review is needed"),
    What.REVIEW_REFUSED: ("商家不同意退款，可在时限内申诉", "The merchant refused; you may appeal"),
    What.APPEALED: ("已申诉，平台介入处理", "Appealed: the platform decides"),
    What.NOT_APPEALED: ("未在时限内申诉，退款关闭", "Not appealed in time: the refund is closed"),
    What.APPEAL_UPHELD: ("平台裁定：同意退款", "The platform decided for the refund"),
    What.APPEAL_DISMISSED: ("平台裁定：不予退款", "The platform decided against the refund"),
    What.REFUND_REFUSED: ("退款未通过", "Refund refused"),
    What.REFUND_SUCCEEDED: ("退款成功", "Refunded"),
    What.REFUND_ABANDONED: ("退款已取消", "Refund cancelled"),
    What.REFUNDED_OUTSIDE: ("商家已在支付宝直接退款", "The merchant has refunded directly at Alipay"),
    What.STRAY_MONEY: ("收到重复或超时付款，自动退回", "A late or double payment arrived and is returned"),
    What.COMPLETED: ("订单已完成", "Completed"),
}
