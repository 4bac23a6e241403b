"""Why dispatch refuses a request: stable codes and texts in both languages."""

from shared.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchParcel(NotFound):
    code = "parcel_not_found"
    zh = "未找到该包裹"
    en = "There is no such parcel"


class NotYourParcel(Forbidden):
    code = "not_your_parcel"
    zh = "您无权处理该包裹"
    en = "This parcel is not yours to handle"


class NotStaffOfStore(Forbidden):
    code = "not_staff_of_store"
    zh = "您不是该门店的员工"
    en = "You do not work for this store"


class ParcelClosed(Conflict):
    code = "parcel_closed"
    zh = "包裹已关闭"
    en = "This parcel is closed"


class ParcelHandedOver(Conflict):
    code = "parcel_handed_over"
    zh = "商品已交付配送"
    en = "The goods have already left the merchant"


class ParcelRefunding(Conflict):
    code = "parcel_refunding"
    zh = "订单正在退款，不能继续配送"
    en = "A refund of this order is under way"


class NotAccepted(Conflict):
    code = "parcel_not_accepted"
    zh = "请先接单"
    en = "Accept the order first"


class NotDelivered(Conflict):
    code = "parcel_not_delivered"
    zh = "商品尚未送达"
    en = "The goods have not been delivered yet"


class ParcelDisputed(Conflict):
    code = "parcel_disputed"
    zh = "退款审核中，暂不能确认收货"
    en = "A refund of these goods is being reviewed; receipt cannot be confirmed now"


class CarrierInvolved(Conflict):
    code = "carrier_involved"
    zh = "已交由第三方配送"
    en = "A carrier is taking care of this parcel"


class NotHandedOver(Conflict):
    code = "parcel_not_handed_over"
    zh = "请先确认取货"
    en = "Confirm the hand-over first"


class WrongReceiveCode(Conflict):
    code = "receive_code_wrong"
    zh = "收货码不正确，还可以输入 {left} 次"
    en = "That is not the receive code; {left} tries are left"


class ReceiveCodeLocked(Conflict):
    code = "receive_code_locked"
    zh = "收货码输入错误次数过多，请稍后再试"
    en = "Too many wrong codes; try again later"


class NoSuchWebhook(NotFound):
    code = "webhook_unknown"
    zh = "未知的回调地址"
    en = "This callback address is unknown"


class DeliveryMissing(Invalid):
    code = "delivery_missing"
    zh = "订单缺少配送信息"
    en = "A goods order came without its delivery"


class NotWaiting(Conflict):
    code = "parcel_not_manual"
    zh = "该包裹当前无需人工处理"
    en = "This parcel does not wait for a decision"


class NotReturning(Conflict):
    code = "parcel_not_returning"
    zh = "该包裹没有在退回途中"
    en = "These goods are not on their way back"


class NothingToCancel(Conflict):
    code = "attempt_not_cancellable"
    zh = "该配送单已无法取消"
    en = "This carrier's order cannot be cancelled any more"


class NoSuchAttempt(NotFound):
    code = "attempt_not_found"
    zh = "未找到该配送单"
    en = "There is no such carrier's order"


class CancelFeeUnconfirmed(Conflict):
    code = "cancel_fee_unconfirmed"
    zh = "取消该配送可能产生费用，请先确认"
    en = "Cancelling this delivery may cost a fee; confirm it first"


class NotCancelled(Conflict):
    code = "attempt_not_cancelled"
    zh = "该配送单没有被取消"
    en = "This carrier's order was not cancelled"


class FeeKnown(Conflict):
    code = "cancel_fee_known"
    zh = "该配送单的取消费已确认"
    en = "The cancel fee of this carrier's order is known"


class TipsNotTaken(Conflict):
    code = "tips_not_taken"
    zh = "该配送方不支持加小费"
    en = "This carrier takes no tips now"


class TippedAlready(Conflict):
    code = "tipped_already"
    zh = "该配送单已加过小费"
    en = "This carrier's order was tipped already"


class RiderTaken(Conflict):
    code = "rider_taken"
    zh = "已有其他配送员接单"
    en = "Another rider has taken this parcel"


class NoOwnRider(Conflict):
    code = "own_rider_not_called"
    zh = "该包裹不由商家自行配送"
    en = "The merchant's riders do not carry this parcel"


class PhotoNotEnough(Conflict):
    code = "receive_code_required"
    zh = "商品价值较高，须由买家提供收货码"
    en = "These goods are worth so much that only the buyer's code will do"


class PhotoUnreadable(Invalid):
    code = "photo_unreadable"
    zh = "照片无法识别，请上传 JPEG 或 PNG"
    en = "The photo cannot be read; send a JPEG or a PNG"


class NoPhoto(NotFound):
    code = "photo_not_found"
    zh = "没有送达照片"
    en = "There is no photo of the delivery"


class NoSuchCarrier(NotFound):
    code = "carrier_not_found"
    zh = "未找到该配送账户"
    en = "There is no such carrier account"


class NotStaffOfMerchant(Forbidden):
    code = "not_staff_of_merchant"
    zh = "您无权查看或设置该商家的配送"
    en = "This merchant's deliveries are not yours to see or set"
