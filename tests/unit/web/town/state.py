"""The town's memory: what its services know, and what they were asked to change."""

from typing import Any

from fastapi.responses import JSONResponse

from tests.unit.web.town.bought import certificate, order, parcel
from tests.unit.web.town.things import (
    CODE,
    FRUIT,
    GOODS_ORDER,
    HOTEL,
    HOTPOT,
    SECOND_UNIT,
    UNIT,
    VOUCHER_ORDER,
    badge_of,
    deal,
    known_id,
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
    """What the services know. Tests change it and look at `heard`, the changes that were asked for."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.refusals: dict[str, Refusal] = {}
        self.heard: list[tuple[str, str, Any]] = []
        self.tokens_refused = False
        self.refreshes = 0
        self.deals = {
            HOTPOT: deal("hotpot"),
            FRUIT: deal(
                "fruit",
                kind="GOODS",
                title="海南贵妃芒 5 斤装",
                price_fen=3990,
                original_price_fen=6900,
                merchant={"merchant_id": known_id("fruit merchant"), "name": "椰风鲜果", "phone": "+8689866000002"},
                items=[{"name": "贵妃芒 大果", "quantity": 1, "price_fen": 6900}],
                rules={},
                delivery={"modes": ["COURIER", "INSTANT", "SELF"], "fee_fen": 600, "weight_g": 2500},
            ),
            HOTEL: deal(
                "hotel",
                title="海湾酒店·海景双床房",
                price_fen=39900,
                original_price_fen=88800,
                state="SOLD_OUT",
                available=0,
            ),
            known_id("teahouse deal"): deal(
                "teahouse", title="老爸茶双人下午茶", price_fen=5880, original_price_fen=9800
            ),
        }
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
        self.certificates = [certificate(UNIT, CODE), certificate(SECOND_UNIT, "905512340087")]
        self.parcel = parcel()
        self.redeemed: dict[str, Any] = {}

    def video_card(self, video: dict[str, Any]) -> dict[str, Any]:
        return {**video, "badge": badge_of(self.deals[video["deal"]]) if video["deal"] else None}
