"""Why a draft is rejected, in both languages."""

import pytest

from services.catalog.domain.deals import TEMPLATE_TEXTS, ReviewTemplate, rejection_of
from services.catalog.domain.refusals import ReasonNeeded


@pytest.mark.parametrize(
    ("template", "text", "zh", "en"),
    [
        (None, "看不清", "看不清", "看不清"),
        (ReviewTemplate.PICTURE_UNFIT, None, "图片不符合要求", "The picture is unfit"),
        (ReviewTemplate.PICTURE_UNFIT, "太暗", "图片不符合要求：太暗", "The picture is unfit: 太暗"),
        (ReviewTemplate.OTHER, "太暗", "其他原因：太暗", "Another reason: 太暗"),
    ],
)
def test_a_rejection_is_told_in_both_languages(
    template: ReviewTemplate | None, text: str | None, zh: str, en: str
) -> None:
    rejection = rejection_of(template, text)
    assert (rejection.zh, rejection.en) == (zh, en)


@pytest.mark.parametrize("template", [None, ReviewTemplate.OTHER])
@pytest.mark.parametrize("text", [None, ""])
def test_a_rejection_without_a_reason_is_refused(template: ReviewTemplate | None, text: str | None) -> None:
    with pytest.raises(ReasonNeeded):
        rejection_of(template, text)


def test_every_reason_of_the_list_has_its_own_text_in_both_languages() -> None:
    assert TEMPLATE_TEXTS.keys() == set(ReviewTemplate)
    assert len({zh for zh, _ in TEMPLATE_TEXTS.values()}) == len({en for _, en in TEMPLATE_TEXTS.values()}) == 8
