"""The town's memory: what its services know, and what they were asked to change."""

from typing import Any

from fastapi.responses import JSONResponse

from tests.unit.web.town.bought import certificate, external_refund, order, parcel
from tests.unit.web.town.carried import SECOND_TRY, delivery, open_fee
from tests.unit.web.town.desks import claims, invitation, merchant, own_store, review_sheet, work_queue, written
from tests.unit.web.town.seen import livestream, share_of, store_page
from tests.unit.web.town.sold import town_deals
from tests.unit.web.town.things import (
    CODE,
    FRUIT,
    GOODS_ORDER,
    HOTPOT,
    SECOND_UNIT,
    SHARE_CODE,
    UNIT,
    VOUCHER_ORDER,
    badge_of,
    video,
)


class Refusal(Exception):
    def __init__(self, status: int, code: str, title: str, **facts: Any) -> None:
        super().__init__(code)
        self.answer = JSONResponse(
            {"type": f"urn:x:{code}", "title": title, "status": status, "code": code, **facts},
            status_code=status,
            media_type="application/problem+json",
        )


class Town:
    """What the services know. Tests change it and look at `heard`, the changes that were asked for, and `quoted`, the
    versions that they were asked for on. `continued` is how the queue and the stores' pages were asked for."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.refusals: dict[str, Refusal] = {}
        self.heard: list[tuple[str, str, Any]] = []
        self.quoted: list[str] = []
        self.continued: list[dict[str, str]] = []
        self.tokens_refused = False
        self.disputed = False
        self.owing = False
        self.code_issuer: str | None = None
        self.refreshes = 0
        self.searched: list[dict[str, str]] = []
        self.page_size = 0
        self.hidden_videos = 0
        self.deals = town_deals()
        self.videos = [
            video("hotpot", "老码头火锅", "周末两个人 128 吃到撑！毛肚现片七上八下 🔥 #海口美食 #火锅", 32_000, 862),
            video("fruit", "椰风鲜果", "树上熟的贵妃芒，今天摘明天到 🥭 #海南水果", 8_651, 203),
            video("hotel", "海湾酒店", "推开窗就是海，日落泳池等你 🌊 #三亚酒店", 15_300, 411, city="三亚"),
            video("teahouse", "骑楼老爸茶", "三块钱坐一下午的老海口味道 ☕ #老爸茶", 4_120, 98),
        ]
        self.orders = {
            VOUCHER_ORDER: order(VOUCHER_ORDER, self.deals[HOTPOT]),
            GOODS_ORDER: order(GOODS_ORDER, self.deals[FRUIT]),
        }
        self.codes_to_wait_for = 0
        """How many times Alipay gives no code before it gives one."""
        self.attempt_state, self.minutes_to_pay = "OPEN", 15
        self.incidents: dict[str, Any] = {}
        self.bills: dict[str, Any] = {}
        self.external_refunds = [external_refund("first", 5000), external_refund("second", 7800)]
        self.certificates = [certificate(UNIT, CODE), certificate(SECOND_UNIT, "905512340087")]
        self.parcel, self.delivery = parcel(), delivery()
        self.cancel_terms = {
            "attempt_id": SECOND_TRY, "provider": "dada", "fee_fen": 200, "needs_confirmation": True,
        }  # fmt: skip
        self.carrier_alerts: list[dict[str, Any]] = []
        self.photo_type = "image/png"
        self.open_fees = [open_fee("first fee"), open_fee("second fee", terms_fen=200)]
        self.redeemed: dict[str, Any] = {}
        self.livestreams = [livestream(self.deals)]
        self.shares: dict[str, Any] = {SHARE_CODE: share_of(self.deals[HOTPOT])}
        self.merchant = merchant()
        self.invitation = invitation()
        self.store_page = store_page(self.deals)
        self.claims = claims()
        self.own_stores = [own_store()]
        self.queue = work_queue(self.deals)
        self.review = review_sheet()
        self.drafts = {deal["deal_id"]: written(deal) for deal in self.deals.values()}

    def video_card(self, video: dict[str, Any]) -> dict[str, Any]:
        placements = ("ABOVE_AUTHOR", "COMMENTS_TOP")
        return {**video, "badge": badge_of(self.deals[video["deal"]], *placements) if video["deal"] else None}
