"""What the form of a deal needs or forbids: cash vouchers, times-cards, third-party codes, goods."""

from shared.errors import Invalid


class CashTermsNeeded(Invalid):
    code = "cash_terms_needed"
    zh = "代金券须填写面值"
    en = "A cash voucher needs its face value"


class CashTermsNotAllowed(Invalid):
    code = "cash_terms_not_allowed"
    zh = "只有代金券可以填写面值"
    en = "Only a cash voucher has a face value"


class StackingNeeded(Invalid):
    code = "stacking_needed"
    zh = "代金券须填写单次可叠加使用的张数"
    en = "A cash voucher must say how many may be used together"


class OriginalPriceNotFaceValue(Invalid):
    code = "original_price_not_face_value"
    zh = "代金券的原价须等于面值"
    en = "The original price of a cash voucher is its face value"


class ThresholdBelowFaceValue(Invalid):
    code = "threshold_below_face_value"
    zh = "代金券的使用门槛不能低于面值；不设门槛请填 0"
    en = "The threshold of a cash voucher must not be below its face value; 0 means none"


class UsesNeeded(Invalid):
    code = "uses_needed"
    zh = "次卡的可用次数须为 2 至 100 次"
    en = "A times-card has 2 to 100 uses"


class UsesNotAllowed(Invalid):
    code = "uses_not_allowed"
    zh = "只有次卡可以使用多次"
    en = "Only a times-card has several uses"


class PriceBelowUses(Invalid):
    code = "price_below_uses"
    zh = "次卡共 {uses} 次，平均每次的价格不能低于 1 分钱"
    en = "Each of the {uses} uses must cost at least one fen"


class CodeSourceNeeded(Invalid):
    code = "code_source_needed"
    zh = "三方码团购须选择券码来源"
    en = "A deal with third-party codes must say where they come from"


class CodeSourceNotAllowed(Invalid):
    code = "code_source_not_allowed"
    zh = "只有三方码团购可以选择券码来源"
    en = "Only a deal with third-party codes has a source of codes"


class CategoryNotForGoods(Invalid):
    code = "category_not_for_goods"
    zh = "实物团购的类目须选择「其他」"
    en = "A deal of goods belongs to no in-store category"


class RefundPolicyNotForGoods(Invalid):
    code = "refund_policy_not_for_goods"
    zh = "实物团购没有有效期，须支持随时退"
    en = "Goods never expire, so they must be refundable at any time"


class DeliveryTermsNeeded(Invalid):
    code = "delivery_terms_needed"
    zh = "实物团购须填写配送方式"
    en = "A deal of goods needs its delivery terms"


class DeliveryTermsNotAllowed(Invalid):
    code = "delivery_terms_not_allowed"
    zh = "到店团购不能填写配送方式"
    en = "A deal used in store has no delivery terms"


class DeliveryModeTwice(Invalid):
    code = "delivery_mode_twice"
    zh = "配送方式不能重复"
    en = "A way of delivery is named twice"


class HotFoodNotByCourier(Invalid):
    code = "hot_food_not_by_courier"
    zh = "热食不能使用快递"
    en = "Hot food does not travel by courier"


class ModeFeeNotOffered(Invalid):
    code = "mode_fee_not_offered"
    zh = "不能为未提供的配送方式填写运费"
    en = "A fee is given for a way of delivery that is not offered"


class ModeFeeTwice(Invalid):
    code = "mode_fee_twice"
    zh = "同一配送方式只能填写一个运费"
    en = "A way of delivery has two fees"
