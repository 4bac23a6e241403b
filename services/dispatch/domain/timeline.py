"""What happened to a parcel, in words for people. Buyers do not see the search for a carrier."""

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    PLACED = "placed"
    ACCEPTED = "accepted"
    CARRIER_CALLED = "carrier_called"
    CARRIER_CONFIRMED = "carrier_confirmed"
    CARRIER_REFUSED = "carrier_refused"
    CARRIER_CANCELLED = "carrier_cancelled"
    OUTCOME_UNKNOWN = "outcome_unknown"
    RIDER_ASSIGNED = "rider_assigned"
    RIDER_LOST = "rider_lost"
    RIDER_AT_STORE = "rider_at_store"
    MANUAL = "manual"
    HANDED_OVER = "handed_over"
    OUT_FOR_DELIVERY = "out_for_delivery"
    EXCEPTION = "exception"
    RETURNING = "returning"
    DELIVERED = "delivered"
    RECEIVED = "received"
    RECEIVED_AUTOMATICALLY = "received_automatically"
    RETURNED = "returned"
    LOST = "lost"
    NOT_ACCEPTED = "not_accepted"
    NOT_HANDED_OVER = "not_handed_over"
    NO_CARRIER = "no_carrier"
    REFUSED_BY_MERCHANT = "refused_by_merchant"
    REFUND_ASKED = "refund_asked"
    REFUND_FENCED = "refund_fenced"
    REFUND_REFUSED = "refund_refused"
    REFUND_LIFTED = "refund_lifted"
    DISPUTED = "disputed"
    DISPUTE_OVER = "dispute_over"
    REFUNDED = "refunded"
    REFUNDED_UNDER_WAY = "refunded_under_way"
    REFUSAL_GIVEN = "refusal_given"
    LOSS_DECLARED = "loss_declared"
    ZOMBIE = "zombie"
    BALANCE_SHORT = "balance_short"
    TIPPED = "tipped"
    NO_RIDER = "no_rider"
    SWITCHED = "switched"
    SEARCHED_AGAIN = "searched_again"
    OWN_RIDER = "own_rider"
    CANCEL_FEE_UNKNOWN = "cancel_fee_unknown"


@dataclass(frozen=True, slots=True)
class Text:
    zh: str
    en: str
    for_buyer: bool = True


TEXTS: dict[What, Text] = {
    What.PLACED: Text("商家待接单", "Waiting for the merchant to accept"),
    What.ACCEPTED: Text("商家已接单", "The merchant accepted the order"),
    What.CARRIER_CALLED: Text("正在呼叫配送", "Calling a carrier", for_buyer=False),
    What.CARRIER_CONFIRMED: Text("正在安排配送员", "Finding a rider"),
    What.CARRIER_REFUSED: Text("配送方拒绝接单", "The carrier refused", for_buyer=False),
    What.CARRIER_CANCELLED: Text("配送方已取消", "The carrier's order was cancelled", for_buyer=False),
    What.OUTCOME_UNKNOWN: Text("配送下单结果待确认", "The carrier's answer is unknown, asking", for_buyer=False),
    What.RIDER_ASSIGNED: Text("配送员已接单", "A rider took the order"),
    What.RIDER_LOST: Text("配送员已变更，重新安排中", "The rider dropped out, finding another", for_buyer=False),
    What.RIDER_AT_STORE: Text("配送员已到店", "The rider is at the store"),
    What.MANUAL: Text("配送遇到问题，正在处理", "There is a problem with the delivery; we are on it"),
    What.HANDED_OVER: Text("商品已取走，配送中", "The goods are on their way"),
    What.OUT_FOR_DELIVERY: Text("派送中", "Out for delivery"),
    What.EXCEPTION: Text("配送异常，正在处理", "There is a problem on the way; we are on it"),
    What.RETURNING: Text("商品退回中", "The goods are being returned"),
    What.DELIVERED: Text("已送达", "Delivered"),
    What.RECEIVED: Text("买家已确认收货", "Receipt confirmed"),
    What.RECEIVED_AUTOMATICALLY: Text("已自动确认收货", "Receipt confirmed automatically"),
    What.RETURNED: Text("商品已退回商家", "The goods are back with the merchant"),
    What.LOST: Text("包裹丢失", "The parcel is lost"),
    What.NOT_ACCEPTED: Text("商家超时未接单", "The merchant did not accept in time"),
    What.NOT_HANDED_OVER: Text("商家超时未发货", "The goods were not handed over in time"),
    What.NO_CARRIER: Text("没有可用的配送", "No carrier was found"),
    What.REFUSED_BY_MERCHANT: Text("商家拒绝接单", "The merchant refused the order"),
    What.REFUND_ASKED: Text("退款处理中，正在拦截配送", "A refund was asked for; stopping the delivery"),
    What.REFUND_FENCED: Text("配送已停止，等待退款", "The delivery is stopped for the refund"),
    What.REFUND_REFUSED: Text("商品已在途，无法直接退款", "The goods have left; no refund without the merchant"),
    What.REFUND_LIFTED: Text("退款已取消，继续配送", "The refund was given up; the delivery goes on"),
    What.DISPUTED: Text("买家申请售后，等待审核", "The buyer wants money back; under review"),
    What.DISPUTE_OVER: Text("售后处理完毕", "The review is over"),
    What.REFUNDED: Text("已退款", "Refunded"),
    What.REFUNDED_UNDER_WAY: Text("已退款，商品仍在途中", "Refunded while the goods are on their way"),
    What.REFUSAL_GIVEN: Text("商家无法发货", "The merchant cannot deliver"),
    What.LOSS_DECLARED: Text("平台确认包裹丢失", "The platform declared the parcel lost"),
    What.BALANCE_SHORT: Text("配送账户余额不足", "The carrier account has no money left", for_buyer=False),
    What.TIPPED: Text("已为配送加小费", "A tip was added for the rider", for_buyer=False),
    What.NO_RIDER: Text("暂无配送员接单，正在更换配送方", "No rider took it; trying another carrier", for_buyer=False),
    What.SWITCHED: Text("商家更换配送方", "The merchant changes the carrier", for_buyer=False),
    What.SEARCHED_AGAIN: Text("商家选择继续等待", "The merchant keeps waiting for a carrier", for_buyer=False),
    What.OWN_RIDER: Text("由商家自行配送", "The merchant delivers it", for_buyer=False),
    What.CANCEL_FEE_UNKNOWN: Text(
        "配送方未告知取消费，待平台核实", "The carrier never named its cancel fee", for_buyer=False
    ),
    What.ZOMBIE: Text("已作废的配送单仍有动态", "A carrier's order that was over shows life", for_buyer=False),
}
