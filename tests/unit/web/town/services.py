"""The town's other services: checkout, redemption, dispatch and settlement, over one memory."""

from typing import Any

import zxingcpp
from fastapi import FastAPI, Request, Response

from tests.unit.web.town.bought import mass_refund, order, parcel, statement
from tests.unit.web.town.catalog import missing
from tests.unit.web.town.state import Refusal, Town
from tests.unit.web.town.things import CODE, UNIT, VOUCHER_ORDER, at, known_id, picture


def add_checkout(app: FastAPI, town: Town) -> None:
    @app.put("/orders/{order_id}", status_code=201)
    async def place(order_id: str, request: Request) -> Any:
        body = await request.json()
        town.orders[order_id] = order(order_id, town.deals[body["deal_id"]], state="PLACED", paid_at=None)
        return town.orders[order_id]

    @app.put("/orders/{order_id}/payments/{attempt_id}", status_code=201)
    async def pay(order_id: str, attempt_id: str, request: Request) -> Any:
        way = (await request.json())["channel"]
        link = f"https://pay.example/cashier?n={attempt_id}&x=1" if way in {"ALIPAY_WAP", "ALIPAY_PAGE"} else None
        code = None
        if way == "ALIPAY_QR":
            code = None if town.codes_to_wait_for else f"https://qr.pay.example/{attempt_id}"
            town.codes_to_wait_for = max(0, town.codes_to_wait_for - 1)
        return {
            "attempt_id": attempt_id,
            "state": town.attempt_state,
            "pay_url": link if town.attempt_state == "OPEN" else None,
            "app_order": None,
            "qr_code": code,
            "qr_svg": picture(code, zxingcpp.BarcodeFormat.QRCode) if code else None,
            "expires_at": at(minutes=-town.minutes_to_pay),
        }

    @app.get("/orders/{order_id}")
    async def one_order(order_id: str) -> Any:
        if order_id not in town.orders:
            raise missing()
        return town.orders[order_id]

    @app.get("/orders")
    async def orders() -> Any:
        return {"items": list(town.orders.values()), "next_cursor": None}

    @app.put("/refunds/{refund_id}", status_code=201)
    async def refund(refund_id: str, request: Request) -> Any:
        body = await request.json()
        made = {
            "refund_id": refund_id,
            "order_id": body["order_id"],
            "state": "REQUESTED",
            "cause": "BUYER",
            "unit_ids": body["unit_ids"],
            "amount_fen": 12800,
            "requested_at": at(),
            "expected_by": "2026-11-25",
        }
        town.orders[body["order_id"]]["refunds"].append(made)
        return made


def add_campaigns(app: FastAPI, town: Town) -> None:
    @app.get("/merchants/{merchant_id}/orders")
    async def orders_of_merchant(request: Request, state: str | None = None) -> Any:
        town.searched.append(dict(request.query_params))
        found = [one for one in town.orders.values() if state in {None, one["state"]}]
        return {"items": [{**one, "masked_buyer": "b***an"} for one in found], "next_cursor": None}

    @app.get("/admin/external-refunds")
    async def external_refunds() -> Any:
        return {"items": town.external_refunds}

    @app.put("/admin/external-refunds/{refund_id}/allocation")
    async def allocate(refund_id: str, request: Request) -> Any:
        body = await request.json()
        done = {refund_id, *body["together_with"]}
        taken = [one for one in town.external_refunds if one["refund_id"] in done]
        town.external_refunds = [one for one in town.external_refunds if one["refund_id"] not in done]
        return {
            "refund_id": refund_id,
            "order_id": VOUCHER_ORDER,
            "state": "SUCCEEDED",
            "cause": "EXTERNAL",
            "unit_ids": body["unit_ids"],
            "amount_fen": sum(one["amount_fen"] for one in taken),
            "requested_at": at(),
            "expected_by": "2026-11-25",
        }

    @app.get("/admin/mass-refunds")
    async def mass_refunds() -> Any:
        return {"items": [mass_refund()], "next_cursor": None}

    @app.get("/admin/mass-refunds/{mass_refund_id}")
    async def one_mass_refund(mass_refund_id: str) -> Any:
        return mass_refund()

    @app.put("/admin/mass-refunds/{mass_refund_id}", status_code=201)
    async def call_off(mass_refund_id: str) -> Any:
        return mass_refund()

    @app.put("/admin/mass-refunds/{mass_refund_id}/stop")
    async def stop(mass_refund_id: str) -> Any:
        return mass_refund()


def add_redemption(app: FastAPI, town: Town) -> None:
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
            {
                "unit_id": one["unit_id"],
                "masked_code": f"{one['code'][:4]} **** {one['code'][-4:]}",
                "state": one["state"],
                "usable": one["state"] == "VALID",
                "reason": None,
                "used_at": one["used_at"],
                "used_store_name": one["used_store_name"],
            }
            for one in town.certificates
        ]
        token = "token-1" if any(one["usable"] for one in listed) else None
        return {
            "order_id": VOUCHER_ORDER,
            "title": "老码头双人毛肚火锅套餐",
            "certificates": listed,
            "token": token,
            "token_expires_at": at(minutes=-2),
        }

    @app.post("/preparations/by-phone")
    async def by_phone(request: Request) -> Any:
        if not (await request.json())["phone"].endswith("8000"):
            return {"items": [], "next_cursor": None}
        one = town.certificates[0]
        listed = {"title": one["title"], "masked_code": "********5519", "uses_left": 1, "starts_at": at()}
        return {"items": [{**listed, "until": at(hours=-48), "usable": True, "reason": None}], "next_cursor": None}

    _add_redemptions(app, town)


def add_codes(app: FastAPI, town: Town) -> None:
    """A merchant's own codes at redemption."""
    of_merchant = "/merchants/{merchant_id}"

    @app.get(f"{of_merchant}/code-pools/{{deal_id}}")
    async def code_pool(merchant_id: str, deal_id: str) -> Any:
        return {"deal_id": deal_id, "free": 1200, "allocated": 300, "used": 280, "void": 3, "waiting": 2}

    @app.put(f"{of_merchant}/code-pools/{{deal_id}}/imports/{{import_id}}", status_code=201)
    async def import_codes(merchant_id: str, deal_id: str, import_id: str, request: Request) -> Any:
        codes = (await request.json())["codes"]
        return {"import_id": import_id, "deal_id": deal_id, "codes": len(codes), "imported_at": at()}

    @app.get(f"{of_merchant}/code-issuer")
    async def code_issuer(merchant_id: str) -> Any:
        if town.code_issuer is None:
            raise Refusal(404, "not_found", "没有找到")
        return {"url": town.code_issuer, "changed_at": at(days=3)}

    @app.put(f"{of_merchant}/code-issuer")
    async def name_issuer(merchant_id: str, request: Request) -> Any:
        town.code_issuer = (await request.json())["url"]
        return {"url": town.code_issuer, "changed_at": at()}


def _add_redemptions(app: FastAPI, town: Town) -> None:
    @app.put("/redemptions/{redemption_id}", status_code=201)
    async def verify(redemption_id: str, request: Request) -> Any:
        body = await request.json()
        uses = [
            {
                "use_id": known_id(f"use {unit}"),
                "unit_id": unit,
                "use_no": 1,
                "used_at": at(),
                "reversible_until": at(hours=-1),
                "masked_code": "********5519",
            }
            for unit in body["unit_ids"]
        ]
        done = {"redemption_id": redemption_id, "store_id": body["store_id"], "title": "老码头双人毛肚火锅套餐"}
        town.redeemed[redemption_id] = {**done, "uses": uses}
        return town.redeemed[redemption_id]

    @app.put("/redemptions/{redemption_id}/reversals/{reversal_id}", status_code=201)
    async def reverse(redemption_id: str, reversal_id: str) -> Any:
        uses = town.redeemed[redemption_id]["uses"]
        for use in uses:
            use["reversed_at"] = use.get("reversed_at") or at()
        moment = uses[0]["reversed_at"]
        return {"reversal_id": reversal_id, "redemption_id": redemption_id, "reversed_at": moment, "uses": uses}

    @app.get("/stores/{store_id}/redemptions")
    async def of_store(store_id: str, cursor: str | None = None) -> Any:
        here = [one for one in town.redeemed.values() if one["store_id"] == store_id]
        return {"items": [] if cursor else here[::-1], "next_cursor": None if cursor or not here else "c2"}

    @app.get("/redemptions/{redemption_id}")
    async def redemption(redemption_id: str) -> Any:
        if redemption_id not in town.redeemed:
            raise missing()
        return town.redeemed[redemption_id]


def add_riders(app: FastAPI, town: Town) -> None:
    @app.delete("/parcels/{parcel_id}/rider")
    async def give_back(parcel_id: str) -> Any:
        return town.parcel

    @app.get("/riders/parcels")
    async def work() -> Any:
        door = {"name": "王小明", "phone": "+8613800138000", "address": "海南省海口市龙华区滨海大道 2 号"}
        kinds = (("ACCEPTED", False), ("ACCEPTED", True), ("HANDED_OVER", True))
        items = [
            parcel(parcel_id=known_id(f"{state} {mine}"), state=state, mode="SELF", receiver=door, mine=mine)
            for state, mine in kinds
        ]
        return {"items": items, "next_cursor": None}


def add_dispatch_and_settlement(app: FastAPI, town: Town) -> None:
    @app.put("/parcels/{parcel_id}/{act}")
    async def act(parcel_id: str, act: str) -> Any:
        return town.parcel

    @app.get("/board")
    async def board() -> Any:
        others = [
            parcel(parcel_id=known_id(state), state=state, receive_code=None)
            for state in ("PLACED", "ACCEPTED", "RETURNED")
        ]
        return {"items": [*others, {**town.parcel, "receive_code": None}], "next_cursor": None}

    @app.get("/merchants/{merchant_id}/statement")
    async def lines(day: str | None = None) -> Any:
        told = statement(day)
        if town.disputed:
            told["items"][0] |= {"held": "disputed"}
        return told

    @app.get("/merchants/{merchant_id}/statement.csv")
    async def file(day: str, store_id: str = "") -> Response:
        if refusal := town.refusals.get("/statement.csv"):
            return refusal.answer
        name = f"statement-{day.replace('-', '')}.csv"
        table = f"\ufeff使用时间,门店编号\r\n{day},{store_id}\r\n".encode()
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(table, media_type="text/csv; charset=utf-8", headers=headers)

    @app.get("/merchants/{merchant_id}/payouts")
    async def payouts() -> Any:
        return {
            "items": [
                {
                    "payout_id": known_id("payout"),
                    "run_date": "2026-11-22",
                    "state": "PAID",
                    "gross_fen": 25600,
                    "fee_fen": 154,
                    "net_fen": 25446,
                    "uses": 2,
                    "paid_at": at(hours=3),
                }
            ],
            "next_cursor": None,
        }

    @app.get("/merchants/{merchant_id}/preview")
    async def preview() -> Any:
        next_run = {"due_on": "2026-11-23", "uses": 4, "gross_fen": 51200, "fee_fen": 308, "net_fen": 50892}
        if town.owing:
            next_run |= {"offset_fen": 3960, "owed_fen": 3960, "net_fen": 46932}
        return next_run | ({"disputed_uses": 1, "disputed_fen": 12800} if town.disputed else {})
