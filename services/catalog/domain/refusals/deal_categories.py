"""What the template of a category needs: catering, hotel, tourism."""

from services.catalog.domain.refusals.words import InWords
from shared.errors import Invalid


class TemplateNeeded(InWords, Invalid):
    code = "template_needed"
    zh = "请填写「{category}」类目的详细信息"
    en = "The details of the category '{category}' are needed"


class TemplateNotAllowed(Invalid):
    code = "template_not_allowed"
    zh = "不能填写其他类目的详细信息"
    en = "The details belong to another category"


class PortionNeeded(Invalid):
    code = "portion_needed"
    zh = "请填写「{item}」每份的分量"
    en = "How much is one of these? {item}"


class PartyRangeEmpty(Invalid):
    code = "party_range_empty"
    zh = "最少人数不能大于最多人数"
    en = "The smallest party must not be larger than the largest"


class SurchargeRangeEmpty(Invalid):
    code = "surcharge_range_empty"
    zh = "加价的结束日期不能早于开始日期"
    en = "A surcharge must not end before it begins"


class SurchargesOverlap(Invalid):
    code = "surcharges_overlap"
    zh = "加价日期不能重叠"
    en = "Two surcharges cover the same night"


class ItineraryTooShort(Invalid):
    code = "itinerary_too_short"
    zh = "行程共 {days} 天，每天至少须填写一项安排"
    en = "The itinerary needs a line for each of the {days} days"


class CancellationNeeded(Invalid):
    code = "cancellation_needed"
    zh = "请填写退改规则"
    en = "The terms of cancellation are needed"
