"""What no deal may say, whatever its form and category: prices, windows, hours, items, booking."""

from shared.errors import Invalid


class PriceAboveOriginal(Invalid):
    code = "price_above_original"
    zh = "团购价不能高于原价"
    en = "The price must not be above the original price"


class MomentOutOfRange(Invalid):
    code = "moment_out_of_range"
    zh = "售卖和使用时间须在 2000 至 2099 年之间"
    en = "Sale and use must lie between the years 2000 and 2099"


class SaleWindowEmpty(Invalid):
    code = "sale_window_empty"
    zh = "售卖结束时间须晚于开始时间"
    en = "The sale must end after it starts"


class UseWindowEmpty(Invalid):
    code = "use_window_empty"
    zh = "使用截止时间须晚于开始时间"
    en = "The use window must end after it starts"


class UseEndsBeforeSale(Invalid):
    code = "use_ends_before_sale"
    zh = "使用截止时间不能早于售卖结束时间"
    en = "Use must not end before the sale does"


class HoursEmpty(Invalid):
    code = "hours_empty"
    zh = "时段的开始与结束时间不能相同，且须在 24:00 之前开始"
    en = "Hours must not end when they begin, and must begin before 24:00"


class BlackoutOutsideUseWindow(Invalid):
    code = "blackout_outside_use_window"
    zh = "不可用日期须在使用期限之内"
    en = "A blackout date lies outside the use window"


class NeverUsable(Invalid):
    code = "never_usable"
    zh = "使用期限内没有任何可用的日期或时段"
    en = "The use window leaves no day and hour at which it could be used"


class ItemsNeeded(Invalid):
    code = "items_needed"
    zh = "请填写团购包含的内容"
    en = "The deal must say what the buyer gets"


class BookingNotNeeded(Invalid):
    code = "booking_not_needed"
    zh = "免预约的团购不能填写提前预约时间"
    en = "A deal without booking has no hours to book ahead"
