"""A deal on its way from the draft to the sale."""

from shared.errors import Conflict


class DealInReview(Conflict):
    code = "deal_in_review"
    zh = "该团购正在审核中，暂不能修改"
    en = "The deal is in review and cannot be changed now"


class DealNotInReview(Conflict):
    code = "deal_not_in_review"
    zh = "该团购不在审核中"
    en = "The deal is not in review"


class DealNotPublished(Conflict):
    code = "deal_not_published"
    zh = "该团购尚未通过审核"
    en = "The deal has no approved version yet"


class SaleEnded(Conflict):
    code = "sale_ended"
    zh = "该团购的售卖时间已结束"
    en = "The sale has ended"
