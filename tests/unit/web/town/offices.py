"""The town's catalog for those who work: a merchant's desk and the operator's."""

import base64
import json
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.unit.web.town.catalog import page_of
from tests.unit.web.town.desks import claim, claims, colleagues, draft, own_store
from tests.unit.web.town.state import Refusal, Town
from tests.unit.web.town.things import HOTEL, HOTPOT, HOTPOT_MERCHANT, INVITATION, PARTNER, STORE, VOUCHER


def subject_of(request: Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token.count(".") != 2:
        return ""
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])


def add_merchants_desk(app: FastAPI, town: Town) -> None:
    @app.get("/me/merchants")
    async def employers(request: Request) -> Any:
        subject = subject_of(request)
        if "buyer" in subject:
            return {"items": []}
        stores = [{"store_id": one["store_id"], "name": one["name"]} for one in town.deals[HOTPOT]["stores"]]
        role = "CLERK" if "clerk" in subject else "MANAGER" if "manager" in subject else "OWNER"
        return {"items": [{"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅", "role": role, "stores": stores}]}

    @app.get("/merchants/{merchant_id}")
    async def one_merchant(merchant_id: str) -> Any:
        if merchant_id != HOTPOT_MERCHANT:
            raise Refusal(404, "not_found", "未找到")
        return town.merchant

    @app.put("/merchants/{merchant_id}/opening")
    async def opened(merchant_id: str) -> Any:
        return town.merchant

    @app.get("/merchants/{merchant_id}/deals")
    async def deals(state: str | None = None, cursor: str | None = None, limit: int = 20) -> Any:
        told = ((HOTPOT, "ONLINE"), (VOUCHER, "REJECTED"), (HOTEL, "IN_REVIEW"), (PARTNER, "OFFLINE"))
        found = [draft(town.deals[deal_id], known) for deal_id, known in told if state in {None, known}]
        return page_of(found, cursor, limit)


def add_writing(app: FastAPI, town: Town) -> None:
    @app.get("/deals/{deal_id}/draft")
    async def written(deal_id: str) -> Any:
        if deal_id not in town.drafts:
            raise Refusal(404, "not_found", "未找到")
        return town.drafts[deal_id]

    @app.put("/deals/{deal_id}", status_code=201)
    async def write(deal_id: str, request: Request) -> Any:
        body = await request.json()
        before = town.drafts.get(deal_id, {"revision": 0, "deal_version": 0})
        town.drafts[deal_id] = {**before, **body, "deal_id": deal_id, "revision": before["revision"] + 1}
        return town.drafts[deal_id]

    @app.put("/deals/{deal_id}/submission")
    async def submit(deal_id: str) -> Any:
        return town.drafts[deal_id]

    @app.put("/stores/{store_id}", status_code=201)
    async def register(store_id: str) -> Any:
        return own_store(store_id=store_id, state="CLAIMED")


def add_invitations(app: FastAPI, town: Town) -> None:
    @app.get("/merchants/{merchant_id}/staff")
    async def staff(cursor: str | None = None, limit: int = 20) -> Any:
        return page_of(colleagues(), cursor, limit)

    @app.get("/merchants/{merchant_id}/invitations")
    async def invitations() -> Any:
        return {"items": [town.invitation], "next_cursor": None}

    @app.put("/merchants/{merchant_id}/invitations/{invitation_id}", status_code=201)
    async def invite(invitation_id: str) -> Any:
        return {**town.invitation, "invitation_id": invitation_id, "token": INVITATION}

    @app.put("/merchants/{merchant_id}/invitations/{invitation_id}/revocation")
    async def revoke(invitation_id: str) -> Any:
        return {**town.invitation, "state": "REVOKED"}

    @app.get("/invitations/{token}")
    async def offer(token: str) -> Any:
        if token != INVITATION:
            raise Refusal(404, "not_found", "未找到")
        names = ("merchant_id", "role", "state", "expires_at")
        told = {name: town.invitation[name] for name in names}
        return {**told, "merchant_name": "老码头火锅", "store_names": ["老码头火锅（海口国贸店）"]}

    @app.put("/invitations/{token}/acceptance")
    async def accept(token: str) -> Any:
        return colleagues()[2]


def add_holdings(app: FastAPI, town: Town) -> None:
    @app.get("/merchants/{merchant_id}/stores")
    async def own_stores(cursor: str | None = None, limit: int = 20) -> Any:
        return page_of(town.own_stores, cursor, limit)

    @app.put("/stores/{store_id}/claims/{claim_id}", status_code=201)
    async def compete(store_id: str, claim_id: str) -> Any:
        return claim(claim_id, HOTPOT_MERCHANT, "老码头火锅", store_id=store_id)

    @app.put("/claims/{claim_id}/appeal")
    async def appeal(claim_id: str) -> Any:
        return claim(claim_id, HOTPOT_MERCHANT, "老码头火锅", state="APPEALED")

    @app.put("/stores/{store_id}/release")
    async def release(store_id: str) -> Any:
        return town.own_stores[0]


def add_operators_desk(app: FastAPI, town: Town) -> None:
    @app.get("/operator/queue")
    async def queue(request: Request) -> Any:
        if "operator" not in subject_of(request):
            raise Refusal(403, "forbidden", "没有权限")
        town.continued.append(dict(request.query_params))
        return town.queue

    @app.get("/operator/review-templates")
    async def templates() -> Any:
        return {
            "items": [
                {"template": "RULES_UNCLEAR", "zh": "使用规则不清楚", "en": "The rules of use are unclear"},
                {"template": "OTHER", "zh": "其他原因", "en": "Another reason"},
            ]
        }

    @app.get("/deals/{deal_id}/review")
    async def review(deal_id: str) -> Any:
        return town.review

    @app.get("/stores/{store_id}/claims")
    async def claims_on(store_id: str, request: Request) -> Any:
        subject = subject_of(request)
        found = [one for one in town.claims if one["store_id"] == store_id]
        if not found and store_id != STORE:
            raise Refusal(404, "not_found", "未找到")
        own = [one for one in found if "operator" in subject or one["merchant_id"] == HOTPOT_MERCHANT]
        if not own and "operator" not in subject:
            raise Refusal(403, "forbidden", "没有权限")
        return {"items": own, "next_cursor": None}


def add_operators_acts(app: FastAPI, town: Town) -> None:
    @app.put("/merchants/{merchant_id}/{act:path}")
    async def done_to_merchant(merchant_id: str, act: str) -> Any:
        return town.merchant

    @app.put("/stores/{store_id}/closing")
    async def close(store_id: str) -> Any:
        return town.store_page

    @app.put("/claims/{claim_id}/decision")
    async def decide_claim(claim_id: str) -> Any:
        return claims()[0]

    @app.put("/deals/{deal_id}/review")
    async def reviewed(deal_id: str) -> Any:
        return draft(town.deals[deal_id], "APPROVED")

    @app.delete("/merchants/{merchant_id}/support", status_code=204)
    async def end_support(merchant_id: str) -> Response:
        return Response(status_code=204)
