"""Why an operator rejects a draft: a reason that can be chosen, words of one's own, or both."""

from dataclasses import dataclass
from enum import StrEnum

from services.catalog.domain.refusals import ReasonNeeded


class ReviewTemplate(StrEnum):
    """The reasons that come again and again. OTHER needs words of one's own."""

    PRICE_MISLEADING = "PRICE_MISLEADING"
    PICTURE_UNFIT = "PICTURE_UNFIT"
    RULES_UNCLEAR = "RULES_UNCLEAR"
    LICENCE_SCOPE = "LICENCE_SCOPE"
    STORE_MISMATCH = "STORE_MISMATCH"
    FORBIDDEN_GOODS = "FORBIDDEN_GOODS"
    INCOMPLETE = "INCOMPLETE"
    OTHER = "OTHER"


TEMPLATE_TEXTS: dict[ReviewTemplate, tuple[str, str]] = {
    ReviewTemplate.PRICE_MISLEADING: ("价格信息有误导", "The prices are misleading"),
    ReviewTemplate.PICTURE_UNFIT: ("图片不符合要求", "The picture is unfit"),
    ReviewTemplate.RULES_UNCLEAR: ("使用规则不清楚", "The rules of use are unclear"),
    ReviewTemplate.LICENCE_SCOPE: ("超出营业执照的经营范围", "The licence does not cover this business"),
    ReviewTemplate.STORE_MISMATCH: ("内容与门店不符", "The deal does not fit its stores"),
    ReviewTemplate.FORBIDDEN_GOODS: ("属于禁止售卖的商品或服务", "These goods or services must not be sold"),
    ReviewTemplate.INCOMPLETE: ("信息不完整", "The deal is incomplete"),
    ReviewTemplate.OTHER: ("其他原因", "Another reason"),
}
"""Each reason in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reason of the list, the operator's own words (as they were written), or both."""

    template: ReviewTemplate | None
    text: str

    @property
    def zh(self) -> str:
        """For the merchant, in Chinese."""
        return self._told(0, "：")

    @property
    def en(self) -> str:
        """For the merchant, in English."""
        return self._told(1, ": ")

    def _told(self, language: int, colon: str) -> str:
        if self.template is None:
            return self.text
        reason = TEMPLATE_TEXTS[self.template][language]
        return f"{reason}{colon}{self.text}" if self.text else reason


def rejection_of(template: ReviewTemplate | None, text: str | None) -> Rejection:
    """What the operator gave as the reason, if it tells the merchant anything."""
    if not text and template in {None, ReviewTemplate.OTHER}:
        raise ReasonNeeded
    return Rejection(template, text or "")
