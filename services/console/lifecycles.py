"""What buyers, clerks and merchants do with an order, step by step: played by the demo, the tests and the chaos run."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.console.environment import FIRST_OPERATOR
from services.console.people import Refused, World
from services.console.shops import Shop
from shared.ids import derived_id, new_id

ADDRESS = {
    "name": "椰子冻",
    "phone": "+8613900139000",
    "province": "海南省",
    "city": "海口市",
    "district": "龙华区",
    "street": "金贸西路 8 号 1203",
    "latitude": 20.0301,
    "longitude": 110.3203,
}


@dataclass(frozen=True, slots=True)
class Bought:
    """A placed order."""

    order_id: UUID
    buyer: str
    shop: Shop
    order: dict[str, Any]

    @property
    def unit_ids(self) -> list[str]:
        """The ids of its units."""
        return [unit["unit_id"] for unit in self.order["units"]]


async def place(
    world: World, shop: Shop, buyer: str, quantity: int = 1, mode: str | None = None, order_id: UUID | None = None,
    source: str | None = None,
) -> Bought:  # fmt: skip
    """Place an order for the version of the deal that the buyer sees now; `source` says by which badge or link."""
    order_id = order_id or new_id()
    deal = await world.send("GET", "catalog", f"/deals/{shop.deal_id}")
    delivery = {"mode": mode, "address": ADDRESS} if mode else None
    body = {
        "deal_id": str(shop.deal_id),
        "deal_version": deal["deal_version"],
        "quantity": quantity,
        "delivery": delivery,
        "source": source,
    }

    async def accepted() -> Any:
        # Checkout hears of a deal by an event: a moment after catalog shows it.
        try:
            return await world.person(buyer).put("checkout", f"/orders/{order_id}", body)
        except Refused as error:
            if error.code in {"deal_unknown", "not_found", "deal_offline", "merchant_cannot_sell", "deal_not_yet"}:
                return None
            raise

    return Bought(order_id, buyer, shop, await world.until(accepted, "checkout knows the deal"))


async def pay(world: World, bought: Bought, scenario: str = "success", delay_s: float | None = None) -> str:
    """Open the cashier and pay in it. Returns the trade's number at the shop."""
    attempt_id = derived_id(bought.order_id, "pay")
    attempt = await world.person(bought.buyer).put(
        "checkout", f"/orders/{bought.order_id}/payments/{attempt_id}", {"channel": "ALIPAY_WAP"}
    )
    body = {"pay_url": attempt["pay_url"], "scenario": scenario}
    if delay_s is not None:
        body["delay_s"] = delay_s
    try:
        trade = await world.sandbox("POST", "/_sim/alipay/pay", body)
    except Refused:
        # A lost answer was sent again: the first one may have paid.
        trade = await world.sandbox("GET", f"/_sim/alipay/trades/{attempt_id.hex}")
        if trade["trade_status"] == "WAIT_BUYER_PAY":
            raise
    return str(trade["out_trade_no"])


async def order_in(world: World, bought: Bought, *states: str, within_s: float | None = None) -> dict[str, Any]:
    """The order, once it is in one of the states."""

    async def ask() -> dict[str, Any] | None:
        order: dict[str, Any] = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        return order if order["state"] in states else None

    return await world.until(ask, f"order {bought.order_id} is {' or '.join(states)}", within_s)


async def certificates(world: World, bought: Bought, within_s: float | None = None) -> list[dict[str, Any]]:
    """The buyer's certificates, once they are issued."""

    async def ask() -> list[dict[str, Any]] | None:
        try:
            shown = await world.person(bought.buyer).get("redemption", f"/orders/{bought.order_id}/certificates")
        except Refused as error:
            if error.status == 404:
                return None
            raise
        items: list[dict[str, Any]] = shown["items"]
        return (
            items if len(items) == len(bought.unit_ids) and all(item["state"] != "ISSUING" for item in items) else None
        )

    return await world.until(ask, f"certificates of {bought.order_id}", within_s)


async def redeem(
    world: World, clerk: str, store_id: UUID, code: str, unit_ids: list[str] | None = None,
    redemption_id: UUID | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Prepare by the typed code and verify: the given units of that order, or the one whose code it is."""
    staff = world.person(clerk)

    async def known() -> Any:
        try:
            return await staff.post("redemption", "/preparations", {"store_id": str(store_id), "code": code})
        except Refused as error:
            # A till may ask before redemption has heard that this clerk works here.
            if error.code == "not_staff_of_store":
                return None
            raise

    prepared = await world.until(known, "the clerk is known at the store")
    wanted = unit_ids or [item["unit_id"] for item in prepared["certificates"] if item["usable"]][:1]
    body = {
        "store_id": str(store_id), "token": prepared["token"] or "", "unit_ids": wanted, "device_id": "till-1"
    }  # fmt: skip
    done: dict[str, Any] = await staff.put("redemption", f"/redemptions/{redemption_id or new_id()}", body)
    return done


async def reverse(
    world: World, clerk: str, done: dict[str, Any], reason: str = "扫错券", reversal_id: UUID | None = None
) -> dict[str, Any]:
    """Undo a whole redemption."""
    body = {"use_ids": None, "device_id": "till-1", "reason": reason}
    path = f"/redemptions/{done['redemption_id']}/reversals/{reversal_id or new_id()}"
    undone: dict[str, Any] = await world.person(clerk).put("redemption", path, body)
    return undone


async def refund(
    world: World, bought: Bought, unit_ids: list[str], *, refund_id: UUID | None = None, within_s: float | None = None
) -> dict[str, Any]:
    """Ask for the money of these units back and wait for the decision, or until the merchant reviews."""
    refund_id = refund_id or new_id()
    buyer = world.person(bought.buyer)
    body = {"order_id": str(bought.order_id), "unit_ids": unit_ids, "reason": "计划有变"}
    await buyer.put("checkout", f"/refunds/{refund_id}", body)

    async def decided() -> dict[str, Any] | None:
        seen: dict[str, Any] = await buyer.get("checkout", f"/refunds/{refund_id}")
        return seen if seen["state"] in {"SUCCEEDED", "REFUSED", "ABANDONED", "IN_REVIEW"} else None

    return await world.until(decided, f"refund {refund_id} is decided", within_s)


async def refunds_by_themselves(
    world: World, bought: Bought, count: int, cause: str = "RECALLED"
) -> list[dict[str, Any]]:
    """The refunds that nobody asked for, once so many have paid; by default no open store takes these certificates any
    more."""

    async def ask() -> list[dict[str, Any]] | None:
        order = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        done = [one for one in order["refunds"] if (one["cause"], one["state"]) == (cause, "SUCCEEDED")]
        return done if len(done) == count else None

    return await world.until(ask, f"{count} refunds of {bought.order_id} that nobody asked for")


async def uses_left(world: World, bought: Bought, expected: int) -> int:
    """How many uses the order's only unit has left, once checkout has heard of the others."""

    async def ask() -> bool:
        order = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        return bool(order["units"][0]["uses_left"] == expected)

    await world.until(ask, f"{expected} uses are left of {bought.order_id}")
    return expected


async def share(world: World, sharer: str, shop: Shop) -> dict[str, Any]:
    """Somebody's own link to the deal: the same one however often they ask."""
    body = {"deal_id": str(shop.deal_id)}
    link: dict[str, Any] = await world.person(sharer).put("catalog", f"/shares/{new_id()}", body)
    return link


async def source_of(world: World, bought: Bought) -> dict[str, Any]:
    """By which badge or link a paid order came, as operators may know it."""
    operator = world.person(FIRST_OPERATOR)

    async def said() -> Any:
        path = f"/admin/history?aggregate_id={bought.order_id}&topic=checkout.order_paid.v1"
        return await operator.get("checkout", path)

    [paid] = await world.until(said, f"the payment of {bought.order_id} is told")
    known: dict[str, Any] = await operator.get("catalog", f"/attributions/{paid['body']['source']}")
    return known


async def known_as_used(world: World, bought: Bought, unit_ids: list[str], within_s: float | None = None) -> None:
    """Wait until checkout has heard that these units were used: until then a refund of them is one before use."""

    async def heard() -> bool:
        order: dict[str, Any] = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        units = [unit for unit in order["units"] if unit["unit_id"] in unit_ids]
        return all(unit["state"] in {"USED", "FINAL"} for unit in units)

    await world.until(heard, f"checkout knows the uses of {bought.order_id}", within_s)


async def dispute(world: World, bought: Bought, unit_ids: list[str], within_s: float | None = None) -> UUID:
    """Ask for the money of used units back, and wait until the merchant reviews. Returns the refund's id."""
    refund_id = new_id()
    body = {"order_id": str(bought.order_id), "unit_ids": unit_ids, "reason": "菜品与描述不符"}
    await world.person(bought.buyer).put("checkout", f"/refunds/{refund_id}", body)
    await refund_in(world, bought, refund_id, "IN_REVIEW", within_s=within_s)
    return refund_id


async def refund_in(
    world: World, bought: Bought, refund_id: UUID, *states: str, within_s: float | None = None
) -> dict[str, Any]:
    """The refund, once it is in one of the states."""

    async def ask() -> dict[str, Any] | None:
        seen: dict[str, Any] = await world.person(bought.buyer).get("checkout", f"/refunds/{refund_id}")
        return seen if seen["state"] in states else None

    return await world.until(ask, f"refund {refund_id} is {' or '.join(states)}", within_s)


async def answer_review(world: World, shop: Shop, refund_id: UUID, *, agreed: bool) -> None:
    """The merchant's owner agrees, or refuses with a reason."""
    body = {"agreed": agreed, "reason": None if agreed else "菜品已全部上齐，顾客用餐后才申请"}
    await world.person(shop.owner).put("checkout", f"/refunds/{refund_id}/review", body)


async def appeal(world: World, bought: Bought, refund_id: UUID) -> None:
    """The buyer asks the platform to decide."""
    text = {"text": "只上了一半的菜，附照片"}
    await world.person(bought.buyer).put("checkout", f"/refunds/{refund_id}/appeal", text)


async def arbitrate(world: World, refund_id: UUID, *, upheld: bool) -> None:
    """An operator decides."""
    body = {"upheld": upheld, "reason": "照片可信" if upheld else "照片与订单无关"}
    await world.person(FIRST_OPERATOR).put("checkout", f"/refunds/{refund_id}/arbitration", body)


async def parcel_in(world: World, subject: str, bought: Bought, *states: str, within_s: float | None = None) -> Any:
    """The parcel of an order, once it is in one of the states."""

    async def ask() -> Any:
        try:
            parcel = await world.person(subject).get("dispatch", f"/orders/{bought.order_id}/parcel")
        except Refused as error:
            if error.status in {403, 404}:
                return None
            raise
        return parcel if parcel["state"] in states else None

    return await world.until(ask, f"parcel of {bought.order_id} is {' or '.join(states)}", within_s)


async def deliver_oneself(world: World, bought: Bought) -> dict[str, Any]:
    """The merchant accepts, its rider takes the goods along and delivers them with the buyer's code."""
    owner, rider = world.person(bought.shop.owner), world.person(bought.shop.clerk)
    parcel = await parcel_in(world, bought.buyer, bought, "PLACED", "ACCEPTED", "HANDED_OVER", "DELIVERED")
    parcel_id = parcel["parcel_id"]
    await owner.put("dispatch", f"/parcels/{parcel_id}/acceptance")
    await rider.put("dispatch", f"/parcels/{parcel_id}/handover")
    # The buyer reads the code from their order's page and says it at the door.
    parcel = await parcel_in(world, bought.buyer, bought, "HANDED_OVER", "DELIVERED")
    await rider.put("dispatch", f"/parcels/{parcel_id}/delivery", {"receive_code": parcel["receive_code"] or "0"})
    delivered: dict[str, Any] = await parcel_in(world, bought.buyer, bought, "DELIVERED", "RECEIVED")
    return delivered


async def receive(world: World, bought: Bought, parcel_id: str) -> None:
    """The buyer confirms receipt."""
    await world.person(bought.buyer).put("dispatch", f"/parcels/{parcel_id}/receipt")


async def bring_by_errand_runner(world: World, bought: Bought) -> dict[str, Any]:
    """The merchant accepts, 达达 or 闪送 finds a rider, who fetches and delivers: each told by its own callback."""
    return await _bring(world, bought, ("accept", "fetch", "finish"))


async def bring_by_courier(world: World, bought: Bought) -> dict[str, Any]:
    """The merchant accepts, 快递100 sends a courier, whose scans are pushed until the receiver has signed."""
    return await _bring(world, bought, ("accept", "pickup", "transit", "deliver", "sign"))


async def _bring(world: World, bought: Bought, moves: tuple[str, ...]) -> dict[str, Any]:
    parcel = await parcel_in(world, bought.buyer, bought, "PLACED", "ACCEPTED")
    await world.person(bought.shop.owner).put("dispatch", f"/parcels/{parcel['parcel_id']}/acceptance")
    carrier, attempt = await live_attempt(world, bought)
    for move in moves:
        await world.sandbox("POST", f"/_sim/{carrier}/orders/{attempt}/{move}", {})
    delivered: dict[str, Any] = await parcel_in(world, bought.buyer, bought, "DELIVERED", "RECEIVED")
    return delivered


async def live_attempt(world: World, bought: Bought) -> tuple[str, str]:
    """The carrier that was chosen, and the number under which it knows the parcel."""

    async def ask() -> tuple[str, str] | None:
        parcel = await world.person(bought.shop.owner).get("dispatch", f"/orders/{bought.order_id}/parcel")
        live = [one for one in parcel["attempts"] if one["state"] in {"SEARCHING", "ASSIGNED", "AT_PICKUP"}]
        return (live[0]["provider"], UUID(live[0]["attempt_id"]).hex) if live else None

    return await world.until(ask, f"a carrier has taken the parcel of {bought.order_id}")
