"""A town behind the pages: the five services and the issuer in memory, as their HTTP interface says they answer."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

import zxingcpp
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

ROOT = UUID("0192f000-0000-7000-8000-000000000000")
CODE = "837146205519"


def known_id(name: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(ROOT, name))


HOTPOT, FRUIT, HOTEL = known_id("hotpot deal"), known_id("fruit deal"), known_id("hotel deal")
HOTPOT_VIDEO = known_id("hotpot video")
HOTPOT_MERCHANT = known_id("hotpot merchant")
STORE = known_id("store 1")
UNIT, SECOND_UNIT = known_id("unit 1"), known_id("unit 2")
VOUCHER_ORDER, GOODS_ORDER = known_id("voucher order"), known_id("goods order")
PARCEL = known_id("parcel")


def at(**ago: float) -> str:
    """A moment in the past, as services write it."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def picture(text: str, kind: zxingcpp.BarcodeFormat) -> str:
    """An SVG that scales, as redemption draws them."""
    barcode = zxingcpp.create_barcode(text, kind)
    svg = barcode.to_svg(add_quiet_zones=True)
    head, _, body = svg[svg.index("<svg") :].partition(">")
    width, height = (head.split(f'{side}="')[1].split('"')[0] for side in ("width", "height"))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{body}'


def store(number: int, name: str, address: str) -> dict[str, Any]:
    return {
        "store_id": known_id(f"store {number}"),
        "name": name,
        "city": "海口",
        "address": address,
        "latitude": 20.031,
        "longitude": 110.331,
        "phone": "+8689866000001",
        "hours": "10:30–次日 02:00",
        "open": True,
    }


def deal(name: str, **changes: Any) -> dict[str, Any]:
    """The hotpot deal, with changes."""
    return {
        "deal_id": known_id(f"{name} deal"),
        "deal_version": 1,
        "state": "ON_SALE",
        "merchant": {"merchant_id": known_id(f"{name} merchant"), "name": "老码头火锅", "phone": "+8689866000000"},
        "kind": "VOUCHER",
        "title": "老码头双人毛肚火锅套餐",
        "cover": name,
        "description": "鸳鸯锅底，现切毛肚七上八下，两个人吃到撑。",
        "items": [
            {"name": "鸳鸯锅底", "quantity": 1, "price_fen": 5800},
            {"name": "鲜毛肚（现片）", "quantity": 1, "price_fen": 6800},
            {"name": "精品肥牛卷", "quantity": 1, "price_fen": 5800},
            {"name": "时蔬拼盘", "quantity": 2, "price_fen": 4200},
        ],
        "price_fen": 12800,
        "original_price_fen": 26800,
        "total_quota": 1300,
        "available": 14,
        "sold": 1286,
        "per_buyer_limit": 10,
        "sale_from": at(days=20),
        "sale_until": at(days=-2, hours=-11.7),
        "rules": {"valid_days": 90, "blackout_dates": []},
        "stores": [
            store(1, "老码头火锅（海口国贸店）", "美兰区国贸路 56 号"),
            store(2, "老码头火锅（海甸岛店）", "美兰区海甸二东路 8 号"),
            store(3, "老码头火锅（万绿园店）", "龙华区滨海大道 32 号"),
        ],
        "delivery": None,
        **changes,
    }


def badge_of(one: dict[str, Any]) -> dict[str, Any]:
    names = ("deal_id", "title", "price_fen", "original_price_fen", "sold", "available", "state")
    return {name: one[name] for name in names}


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
            HOTEL: deal("hotel", title="海湾酒店·海景双床房", price_fen=39900, original_price_fen=88800, state="SOLD_OUT",
                        available=0),
            known_id("teahouse deal"): deal("teahouse", title="老爸茶双人下午茶", price_fen=5880, original_price_fen=9800),
        }  # fmt: skip
        self.videos = [
            self._video(
                "hotpot", "老码头火锅", "周末两个人 128 吃到撑！毛肚现片七上八下 🔥 #海口美食 #火锅", 32_000, 862
            ),
            self._video("fruit", "椰风鲜果", "树上熟的贵妃芒，今天摘明天到 🥭 #海南水果", 8_651, 203),
            self._video("hotel", "海湾酒店", "推开窗就是海，日落泳池等你 🌊 #三亚酒店", 15_300, 411, city="三亚"),
            self._video("teahouse", "骑楼老爸茶", "三块钱坐一下午的老海口味道 ☕ #老爸茶", 4_120, 98),
        ]
        self.orders = {VOUCHER_ORDER: self._order(VOUCHER_ORDER, HOTPOT), GOODS_ORDER: self._order(GOODS_ORDER, FRUIT)}
        self.certificates = [self._certificate(UNIT, CODE), self._certificate(SECOND_UNIT, "905512340087")]
        self.parcel = self._parcel()
        self.redeemed: dict[str, Any] = {}

    def _video(self, name: str, author: str, caption: str, likes: int, talk: int, city: str = "海口") -> dict[str, Any]:
        comments = [
            {"author": "椰子冻", "text": "上周吃过，毛肚真的新鲜，周五晚上要排队", "place": "海南", "at": at(days=3)},
            {"author": "阿May", "text": "请问周末通用吗？", "place": "广东", "at": at(days=2)},
            {
                "author": author,
                "text": "周末节假日通用，到店扫码即可核销～",
                "place": "海南",
                "at": at(days=1, hours=2),
            },
        ]
        return {
            "video_id": known_id(f"{name} video"),
            "merchant_id": known_id(f"{name} merchant"),
            "author": author,
            "verified": True,
            "caption": caption,
            "cover": name,
            "city": city,
            "likes": likes,
            "comment_count": talk,
            "deal": known_id(f"{name} deal"),
            "comments": comments,
        }

    def video_card(self, video: dict[str, Any]) -> dict[str, Any]:
        return {**video, "badge": badge_of(self.deals[video["deal"]]) if video["deal"] else None}

    def _order(self, order_id: str, deal_id: str, **changes: Any) -> dict[str, Any]:
        sold, goods = self.deals[deal_id], self.deals[deal_id]["kind"] == "GOODS"
        fee = sold["delivery"]["fee_fen"] if goods else 0
        units = [known_id("goods unit")] if goods else [UNIT, SECOND_UNIT]
        total = sold["price_fen"] * len(units) + fee
        each = total // len(units)
        return {
            "order_id": order_id,
            "order_no": "20261122091800371",
            "state": "PAID",
            "kind": sold["kind"],
            "deal_id": deal_id,
            "deal_version": 1,
            "title": sold["title"],
            "cover": sold["cover"],
            "merchant_id": sold["merchant"]["merchant_id"],
            "store_ids": [STORE],
            "quantity": len(units),
            "unit_price_fen": sold["price_fen"],
            "delivery_fee_fen": fee,
            "total_fen": total,
            "placed_at": at(hours=1),
            "expires_at": at(minutes=-15),
            "paid_at": at(minutes=58),
            "closed_at": None,
            "refunded_fen": 0,
            "units": [{"unit_id": unit, "state": "OPEN", "paid_fen": each} for unit in units],
            "refunds": [],
            "delivery": {
                "mode": "SELF",
                "fee_fen": fee,
                "parcel_state": "HANDED_OVER",
                "masked_phone": "138****8000",
                "masked_address": "海南省海口市美兰区******",
            }
            if goods
            else None,
            "timeline": [
                {"at": at(hours=1), "what": "placed", "text_zh": "已下单", "text_en": "Order placed"},
                {"at": at(minutes=58), "what": "paid", "text_zh": "支付宝已付款", "text_en": "Paid by Alipay"},
            ],
            **changes,
        }

    def _certificate(self, unit_id: str, code: str, **changes: Any) -> dict[str, Any]:
        return {
            "unit_id": unit_id,
            "state": "VALID",
            "title": "老码头双人毛肚火锅套餐",
            "code": code,
            "qr_svg": picture(f"GB1.{unit_id}.0f3a9c", zxingcpp.BarcodeFormat.QRCode),
            "qr_expires_at": at(seconds=-60),
            "barcode_svg": picture(code, zxingcpp.BarcodeFormat.Code128),
            "starts_at": at(hours=1),
            "until": "2027-02-20T16:00:00+00:00",
            "used_at": None,
            "used_store_name": None,
            "store_names": ["老码头火锅（海口国贸店）", "老码头火锅（海甸岛店）", "老码头火锅（万绿园店）"],
            **changes,
        }

    def _parcel(self, **changes: Any) -> dict[str, Any]:
        return {
            "parcel_id": PARCEL,
            "order_id": GOODS_ORDER,
            "order_no": "20261122091800371",
            "title": "海南贵妃芒 5 斤装",
            "state": "HANDED_OVER",
            "mode": "SELF",
            "carrier": "native",
            "waybill": None,
            "rider": {"name": "阿强", "masked_phone": "139****0001"},
            "receive_code": "402 817",
            "delivered_at": None,
            "received_by": None,
            "timeline": [
                {"at": at(minutes=50), "what": "accepted", "text_zh": "商家已接单", "text_en": "Accepted"},
                {"at": at(minutes=20), "what": "handed_over", "text_zh": "骑手已取件", "text_en": "Picked up"},
            ],
            **changes,
        }

    def merchant(self) -> dict[str, Any]:
        steps = ("ENTERPRISE_VERIFICATION", "PAYOUT_ACCOUNT", "STORE", "FIRST_DEAL")
        states = ("DONE", "REFUSED", "DONE", "OPEN")
        reasons = {"PAYOUT_ACCOUNT": ("支付宝主体与认证主体不一致", "The account belongs to another subject")}
        checklist = [
            {"step": step, "state": state, "reason_zh": reasons.get(step, ("", ""))[0],
             "reason_en": reasons.get(step, ("", ""))[1]}
            for step, state in zip(steps, states, strict=True)
        ]  # fmt: skip
        return {"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅", "state": "VERIFIED", "payout_account": None,
                "checklist": checklist}  # fmt: skip

    def statement(self, day: str | None) -> dict[str, Any]:
        lines = [
            {
                "order_id": VOUCHER_ORDER, "unit_id": known_id(f"line {n}"), "use_no": 1, "title": "老码头双人毛肚火锅套餐",
                "store_id": STORE, "used_at": at(hours=2 * n + 1), "gross_fen": 12800, "fee_fen": 77, "net_fen": 12723,
                "state": ("USED", "FINAL", "PAID")[n % 3], "due_on": "2026-11-23", "payout_id": None,
            }
            for n in range(4)
        ]  # fmt: skip
        totals = {"gross_fen": 51200, "fee_fen": 308, "net_fen": 50892, "uses": 4}
        return {"day": day or "2026-11-22", "items": lines, "totals": totals, "next_cursor": None}


def token_for(subject: str, life_s: int = 600) -> str:
    """A token that only looks like one: the pages read it, they do not judge it."""
    now = int(time.time())
    parts = [{"alg": "none"}, {"sub": subject, "iat": now, "exp": now + life_s}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


def build(town: Town, issuer: str = "http://issuer.town") -> FastAPI:
    """The town as one application; a service is silent when its host is."""
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def listen(request: Request, go_on: Any) -> Response:
        host = request.url.hostname or ""
        if host.removesuffix(".town") in town.silent:
            return Response("bad gateway", status_code=502)
        path = request.url.path
        if request.method in {"PUT", "POST"} and not path.startswith("/oauth"):
            body = json.loads(await request.body() or b"null")
            town.heard.append((request.method, path, body))
            if town.tokens_refused:
                return Refusal(401, "unauthenticated", "请先登录").answer
            for part, refusal in town.refusals.items():
                if part in path:
                    return refusal.answer
        answer: Response = await go_on(request)
        return answer

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)
        return refusal.answer

    _catalog(app, town)
    _checkout(app, town)
    _redemption(app, town)
    _dispatch_and_settlement(app, town)
    _issuer(app, town, issuer)
    return app


def _missing() -> Refusal:
    return Refusal(404, "not_found", "未找到")


def _catalog(app: FastAPI, town: Town) -> None:
    @app.get("/feed")
    async def feed(city: str | None = None, cursor: str | None = None, limit: int = 8) -> Any:
        videos = [video for video in town.videos if city in {None, video["city"]}]
        start = int(cursor or 0)
        more = start + limit < len(videos)
        shown = [town.video_card(video) for video in videos[start : start + limit]]
        return {"items": shown, "next_cursor": str(start + limit) if more else None}

    @app.get("/videos/{video_id}")
    async def video(video_id: str) -> Any:
        found = next((video for video in town.videos if video["video_id"] == video_id), None)
        if found is None:
            raise _missing()
        return town.video_card(found)

    @app.get("/deals/{deal_id}")
    async def one_deal(deal_id: str) -> Any:
        if deal_id not in town.deals:
            raise _missing()
        return town.deals[deal_id]

    @app.get("/me/merchants")
    async def employers(request: Request) -> Any:
        if "buyer" in _subject(request):
            return {"items": []}
        stores = [{"store_id": one["store_id"], "name": one["name"]} for one in town.deals[HOTPOT]["stores"]]
        return {"items": [{"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅", "role": "OWNER", "stores": stores}]}

    @app.get("/merchants/{merchant_id}")
    async def merchant(merchant_id: str) -> Any:
        return town.merchant()

    @app.get("/operator/queue")
    async def queue(request: Request) -> Any:
        if "operator" not in _subject(request):
            raise Refusal(403, "forbidden", "没有权限")
        waiting = {"merchant_id": HOTPOT_MERCHANT, "version": 3, "name": "老码头火锅", "licence_no": "91460000MA5T"}
        return {"merchants": [waiting], "payout_accounts": [], "stores": [], "deals": [
            {"deal_id": HOTPOT, "revision": 2, "title": "老码头双人毛肚火锅套餐", "price_fen": 12800, "kind": "VOUCHER"}]}  # fmt: skip

    @app.put("/merchants/{merchant_id}/verification")
    async def decided(merchant_id: str) -> Any:
        return town.merchant()


def _checkout(app: FastAPI, town: Town) -> None:
    @app.put("/orders/{order_id}", status_code=201)
    async def place(order_id: str, request: Request) -> Any:
        body = await request.json()
        town.orders[order_id] = town._order(order_id, body["deal_id"], state="PLACED", paid_at=None)
        return town.orders[order_id]

    @app.put("/orders/{order_id}/payments/{attempt_id}", status_code=201)
    async def pay(order_id: str, attempt_id: str) -> Any:
        return {"attempt_id": attempt_id, "state": "OPEN", "pay_url": f"https://pay.example/cashier?n={attempt_id}&x=1",
                "expires_at": at(minutes=-15)}  # fmt: skip

    @app.get("/orders/{order_id}")
    async def order(order_id: str) -> Any:
        if order_id not in town.orders:
            raise _missing()
        return town.orders[order_id]

    @app.get("/orders")
    async def orders() -> Any:
        return {"items": list(town.orders.values()), "next_cursor": None}

    @app.put("/refunds/{refund_id}", status_code=201)
    async def refund(refund_id: str, request: Request) -> Any:
        body = await request.json()
        made = {"refund_id": refund_id, "order_id": body["order_id"], "state": "REQUESTED", "cause": "BUYER",
                "unit_ids": body["unit_ids"], "amount_fen": 12800, "requested_at": at(), "expected_by": "2026-11-25"}  # fmt: skip
        town.orders[body["order_id"]]["refunds"].append(made)
        return made


def _redemption(app: FastAPI, town: Town) -> None:
    @app.get("/orders/{order_id}/certificates")
    async def certificates(order_id: str) -> Any:
        return {"items": town.certificates if order_id == VOUCHER_ORDER else []}

    @app.post("/preparations")
    async def prepare(request: Request) -> Any:
        body = await request.json()
        given = body.get("code") or body.get("scanned")
        if CODE not in given and UNIT not in given:
            raise Refusal(404, "code_unknown", "券码无效")
        listed = [
            {"unit_id": one["unit_id"], "masked_code": f"{one['code'][:4]} **** {one['code'][-4:]}",
             "state": one["state"], "usable": one["state"] == "VALID", "reason": None, "used_at": one["used_at"],
             "used_store_name": one["used_store_name"]}
            for one in town.certificates
        ]  # fmt: skip
        token = "token-1" if any(one["usable"] for one in listed) else None
        return {"order_id": VOUCHER_ORDER, "title": "老码头双人毛肚火锅套餐", "certificates": listed, "token": token,
                "token_expires_at": at(minutes=-2)}  # fmt: skip

    @app.put("/redemptions/{redemption_id}", status_code=201)
    async def verify(redemption_id: str, request: Request) -> Any:
        body = await request.json()
        uses = [{"use_id": known_id(f"use {unit}"), "unit_id": unit, "use_no": 1, "used_at": at(),
                 "reversible_until": at(hours=-1)} for unit in body["unit_ids"]]  # fmt: skip
        town.redeemed[redemption_id] = {"redemption_id": redemption_id, "store_id": body["store_id"], "uses": uses}
        return town.redeemed[redemption_id]

    @app.get("/redemptions/{redemption_id}")
    async def redemption(redemption_id: str) -> Any:
        if redemption_id not in town.redeemed:
            raise _missing()
        return town.redeemed[redemption_id]


def _dispatch_and_settlement(app: FastAPI, town: Town) -> None:
    @app.get("/orders/{order_id}/parcel")
    async def parcel(order_id: str) -> Any:
        if order_id != GOODS_ORDER:
            raise _missing()
        return town.parcel

    @app.put("/parcels/{parcel_id}/{act}")
    async def act(parcel_id: str, act: str) -> Any:
        return town.parcel

    @app.get("/board")
    async def board() -> Any:
        others = [town._parcel(parcel_id=known_id(state), state=state, receive_code=None)
                  for state in ("PLACED", "ACCEPTED", "RETURNED")]  # fmt: skip
        return {"items": [*others, {**town.parcel, "receive_code": None}], "next_cursor": None}

    @app.get("/merchants/{merchant_id}/statement")
    async def statement(day: str | None = None) -> Any:
        return town.statement(day)

    @app.get("/merchants/{merchant_id}/payouts")
    async def payouts() -> Any:
        return {"items": [{"payout_id": known_id("payout"), "run_date": "2026-11-22", "state": "PAID", "gross_fen": 25600,
                           "fee_fen": 154, "net_fen": 25446, "uses": 2, "paid_at": at(hours=3)}], "next_cursor": None}  # fmt: skip

    @app.get("/merchants/{merchant_id}/preview")
    async def preview() -> Any:
        return {"due_on": "2026-11-23", "uses": 4, "gross_fen": 51200, "fee_fen": 308, "net_fen": 50892}


def _issuer(app: FastAPI, town: Town, issuer: str) -> None:
    @app.get("/.well-known/openid-configuration")
    async def discovery() -> Any:
        return {"issuer": issuer, "authorization_endpoint": f"{issuer}/oauth/authorize",
                "token_endpoint": f"{issuer}/oauth/token"}  # fmt: skip

    @app.get("/oauth/authorize")
    async def authorize(redirect_uri: str, state: str, login_hint: str = "buyer-an") -> Response:
        answer = {"code": f"code-of-{login_hint}", "state": state, "iss": issuer}
        return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", status_code=303)

    @app.post("/oauth/token")
    async def tokens(request: Request) -> Any:
        form = await request.form()
        if form["grant_type"] == "refresh_token":
            town.refreshes += 1
            subject = str(form["refresh_token"]).split(".")[1]
        else:
            subject = str(form["code"]).removeprefix("code-of-")
        if subject == "nobody":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return {"access_token": token_for(subject), "token_type": "Bearer", "expires_in": 600,
                "refresh_token": f"refresh.{subject}.{town.refreshes}"}  # fmt: skip

    @app.get("/personas")
    async def personas() -> Any:
        return [
            {"id": "buyer-an", "name_zh": "阿May", "name_en": "May, a buyer", "role": "buyer", "subject": "buyer-an"}
        ]


def _subject(request: Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token.count(".") != 2:
        return ""
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])
