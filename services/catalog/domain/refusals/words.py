"""Refusals whose facts are codes: programs read the code, the sentence for people takes its word."""

from shared.errors import DomainError

WORDS: dict[str, tuple[str, str]] = {
    "APPEALED": ("申诉中", "appealed"),
    "APPLIED": ("待审核", "waiting"),
    "APPROVED": ("已通过", "approved"),
    "CATERING": ("餐饮", "catering"),
    "CLAIMED": ("待审核", "waiting"),
    "HOTEL": ("酒店", "hotel"),
    "LOST": ("已判给其他商家", "awarded to another"),
    "PAID": ("已缴纳", "paid"),
    "REJECTED": ("已驳回", "rejected"),
    "RELEASED": ("已放弃", "given back"),
    "SUBMITTED": ("待审核", "waiting"),
    "TOURISM": ("旅游", "tourism"),
    "VERIFIED": ("已通过", "verified"),
    "WAIVED": ("已减免", "waived"),
}
"""What a state or a category is called, in Chinese and in English."""


class InWords(DomainError):
    """Its facts are codes (`state="APPROVED"`), which the answer carries as they are beside the sentence."""

    def text(self, language: str) -> str:
        """The sentence, with a word for each code."""
        template, at = (self.zh, 0) if language == "zh" else (self.en, 1)
        return template.format(**{name: WORDS[code][at] for name, code in self.facts.items()})
