"""Every way in which redeeming ends: code, words in both languages, and effect. One table to read.

Each row says what the customer shows, or what the till asks for. Whatever is refused leaves certificates, uses and
events as they were; whatever is granted makes exactly one use of each certificate, however often it is sent."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateUsed
from tests.integration.redemption import redeem_situations as at
from tests.integration.redemption.redeem_situations import Send, Situation
from tests.integration.redemption.redeeming import uses_of
from tests.integration.redemption.stage import Shop, Stage, units_of

ONE, NONE = "one use", "nothing"
USED_ZH, USED_EN = "该券已于 {when} 在 {where} 核销", "This certificate was used at {where} on {when}"
# fmt: off
OUTCOMES = [
    # situation, status, code, Chinese, English, effect
    (at.plain, 201, None, None, None, ONE),
    (at.two_together, 201, None, None, None, ONE),
    (at.refund_given_up, 201, None, None, None, ONE),
    (at.same_id_and_body, 201, None, None, None, NONE),
    (at.same_id_other_body, 409, "id_taken", "该编号已用于其他内容", "already used with other content", NONE),
    (at.unknown, 404, "code_unknown", "没有找到这个券码", "No certificate has this code", NONE),
    (at.unpaid, 404, "code_unknown", "没有找到这个券码", "No certificate has this code", NONE),
    (at.typed_of_another_merchant, 404, "code_unknown", "没有找到这个券码", "No certificate has this code", NONE),
    (at.scanned_of_another_merchant, 409, "other_merchant", "属于其他商家", "belongs to another merchant", NONE),
    (at.old_qr, 409, "qr_expired", "二维码已过期", "This QR code has expired", NONE),
    (at.of_another_store, 409, "other_store", "不适用于本门店", "not valid at this store", NONE),
    (at.of_another_merchant, 409, "other_store", "不适用于本门店", "not valid at this store", NONE),
    (at.too_early, 409, "not_yet_valid", "尚未到可用时间（{when} 起可用）", "is not valid until {when}", NONE),
    (at.too_late, 409, "expired", "已过有效期（截至 {when}）", "expired at {when}", NONE),
    (at.day_excluded, 409, "blackout_date", "今天是该券的不可用日期", "cannot be used today", NONE),
    (at.hours_excluded, 409, "blackout_hours", "当前时段不可使用", "cannot be used at this hour", NONE),
    (at.over_the_count, 409, "over_the_count", "超过单次可用张数", "More certificates than may be used", NONE),
    (at.not_issued, 409, "certificate_not_issued", "该券尚未出码", "has no code yet", NONE),
    (at.used_before, 409, "certificate_used", USED_ZH, USED_EN, NONE),
    (at.used_in_part, 409, "certificate_used", USED_ZH, USED_EN, NONE),
    (at.used_and_paid_out, 409, "certificate_used", USED_ZH, USED_EN, NONE),
    (at.disputed, 409, "certificate_used", USED_ZH, USED_EN, NONE),
    (at.refunding, 409, "certificate_refunding", "正在退款", "is being refunded", NONE),
    (at.refunded, 409, "certificate_refunded", "该券已退款", "was refunded", NONE),
    (at.recalled, 409, "certificate_refunding", "正在退款", "is being refunded", NONE),
    (at.store_closed, 409, "store_closed", "该门店已停业", "This store is closed", NONE),
    (at.staff_revoked, 403, "not_staff_of_store", "不是该门店可核销的员工", "You may not redeem at this store", NONE),
    (at.staff_moved, 403, "not_staff_of_store", "不是该门店可核销的员工", "You may not redeem at this store", NONE),
    (at.store_sold, 403, "not_staff_of_store", "不是该门店可核销的员工", "You may not redeem at this store", NONE),
    (at.confirmed_too_late, 409, "preparation_expired", "核销确认已超时", "The confirmation took too long", NONE),
    (at.not_what_was_prepared, 409, "preparation_mismatch", "与扫码结果不一致", "not match what was scanned", NONE),
]
# fmt: on


@pytest.mark.parametrize(
    ("situation", "status", "code", "zh", "en", "effect"), OUTCOMES, ids=[row[0].__name__ for row in OUTCOMES]
)
async def test_redeeming_ends_in_one_use_or_in_none_and_says_why(
    stage: Stage,
    situation: Callable[[Stage, Shop], Awaitable[Situation]],
    status: int,
    code: str | None,
    zh: str | None,
    en: str | None,
    effect: str,
) -> None:
    shop = await stage.open_shop()
    found = await situation(stage, shop)
    before = await effects(stage, found.order)
    answers = [await said_in(stage, found.send, language) for language in ("zh", "en")]
    assert [one.status_code for one in answers] == [status] * 2, answers[0].text
    after = await effects(stage, found.order)
    if effect == NONE:
        assert after == before
    else:
        units = len(units_of(found.order))
        assert after == (["USED"] * units, before[1] + units, before[2] + units)
    if code is None:
        assert answers[0].json() == answers[1].json()
        return
    assert zh is not None
    assert en is not None
    assert {one.json()["code"] for one in answers} == {code}
    for answer, sentence in zip(answers, (zh, en), strict=True):
        assert sentence.format(**found.words) in answer.json()["title"]
        assert "{" not in answer.json()["title"]
    # Nobody asks for a receipt of what was refused, so all of it is in the log.
    assert await stage.refusals(shop.clerk) == [code] * 2


async def said_in(stage: Stage, send: Send, language: str) -> httpx.Response:
    stage.http.headers["accept-language"] = language
    try:
        return await send()
    finally:
        del stage.http.headers["accept-language"]


async def effects(stage: Stage, order: OrderPaid) -> tuple[list[str], int, int]:
    """States, uses, and uses that were announced."""
    async with stage.db.transaction() as tx:
        use_ids = await tx.fetch("select use_id from uses where unit_id = any($1)", units_of(order))
    announced = [await stage.said(CertificateUsed, row["use_id"]) for row in use_ids]
    return await stage.states(order), await uses_of(stage, order), sum(map(len, announced))
