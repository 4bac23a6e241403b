"""The whole mission, played live: from the video to the payout, one readable line per step."""

from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from services.console import audit, lifecycles, shops
from services.console.catalog_steps import CatalogSteps
from services.console.environment import FIRST_OPERATOR
from services.console.lifecycles import Bought
from services.console.money import Proof
from services.console.people import World
from services.console.shops import Shop
from services.console.steps import StepFailed, Steps, clock, refused, spaced
from shared.clock import SHANGHAI
from shared.money import yuan


class Journey:
    """Plays the steps and prints them; any step that does not hold ends it."""

    def __init__(self, world: World, console: Console) -> None:
        self._world = world
        self._steps = Steps(console)
        self._catalog = CatalogSteps(world, self._steps)

    async def play(self) -> Proof:
        """All steps, then the proof."""
        world = self._world
        hotpot, fruit = await self._open()
        street = await self._catalog.furnish()
        await self._watch(hotpot)
        voucher = await self._buy_voucher(hotpot)
        await self._redeem(voucher, fruit)
        await self._refund(voucher)
        card = await self._catalog.share_a_card(street)
        await self._catalog.use_a_card(card)
        await self._catalog.use_cash_vouchers(street)
        goods = await self._deliver_by_merchant(fruit)
        errand = await self._deliver_by_errand_runner(fruit)
        await self._catalog.close_a_store(street, card)
        await self._pay_out(voucher, goods, errand)
        with self._steps.step("审计", "audit") as say:
            proof = await audit.settled(world, 30)
            say(f"{len(proof.findings)} 项在途 in flight, 差额 difference ¥{yuan(proof.difference_fen)}")
        return proof

    async def _open(self) -> tuple[Shop, Shop]:
        with self._steps.step(
            "开店", "three shops open: verified, Alipay account bound, store claimed, deal on sale"
        ) as say:
            hotpot = await shops.open_shop(self._world, shops.hotpot(), "hotpot")
            fruit = await shops.open_shop(self._world, shops.fruit(), "fruit")
            hotel = await shops.open_shop(self._world, shops.hotel(), "hotel")
            say(", ".join(shop.name for shop in (hotpot, fruit, hotel)))
        with self._steps.step("同主体", "an Alipay account of another company is refused") as say:
            mine = self._world.person("merchant-hotpot")
            body = {
                "kind": "ENTERPRISE",
                "account": "x@example.com",
                "holder_name": "别家公司",
                "real_name_verified": True,
            }
            path = f"/merchants/{hotpot.merchant_id}/payout-account"
            say((await refused(mine.put("catalog", path, body), "subject_mismatch")).code)
        return hotpot, fruit

    async def _watch(self, shop: Shop) -> None:
        with self._steps.step("刷视频", "a viewer sees the badge in the feed") as say:

            async def badge() -> dict[str, Any] | None:
                feed = await self._world.send("GET", "catalog", "/feed?limit=20")
                cards = [card for card in feed["items"] if card["video_id"] == str(shop.video_id)]
                return cards[0]["badge"] if cards else None

            seen = await self._world.until(badge, "the video is in the feed with its badge")
            say(f"{seen['title']} ¥{yuan(seen['price_fen'])} ({seen['state']})")

    async def _buy_voucher(self, shop: Shop) -> Bought:
        world = self._world
        with self._steps.step("下单", "阿May orders two vouchers") as say:
            bought = await lifecycles.place(world, shop, "buyer-an", 2)
            say(f"{bought.order['order_no']}  ¥{yuan(bought.order['total_fen'])}")
        with self._steps.step("支付宝", "pays with Alipay; only the signed notify counts") as say:
            number = await lifecycles.pay(world, bought)
            order = await lifecycles.order_in(world, bought, "PAID", "FULFILLING")
            say(f"{order['state']}  trade {number[:12]}…")
        with self._steps.step("出券", "one certificate per unit: QR code, barcode, code string") as say:
            issued = await lifecycles.certificates(world, bought)
            say(", ".join(spaced(item["code"]) for item in issued))
        return bought

    async def _redeem(self, bought: Bought, other: Shop) -> None:
        world, shop = self._world, bought.shop
        code = (await lifecycles.certificates(world, bought))[0]["code"]
        with self._steps.step("非本商家", "at another merchant's till the code is simply unknown") as say:
            attempt = lifecycles.redeem(world, other.owner, other.store_id, code)
            say((await refused(attempt, "code_unknown")).code)
        with self._steps.step("撤销核销", "redeemed by mistake, undone within the hour: the buyer has it back") as say:
            mistake = await lifecycles.redeem(world, shop.clerk, shop.store_id, code)
            undone = await lifecycles.reverse(world, shop.clerk, mistake)
            [state] = {item["state"] for item in await lifecycles.certificates(world, bought)}
            if state != "VALID":
                raise StepFailed(f"the certificates are {state}")
            say(f"{clock(undone['used_at'])} 核销 → {clock(undone['reversed_at'])} 撤销: {state}")
        with self._steps.step("核销", "the clerk scans and confirms") as say:
            done = await lifecycles.redeem(world, shop.clerk, shop.store_id, code)
            use = done["uses"][0]
            say(f"{clock(use['used_at'])}, 可撤销至 reversible until {clock(use['reversible_until'])}")
        with self._steps.step("重复核销", "the same code a second time is refused, with when and where") as say:
            again = lifecycles.redeem(world, shop.clerk, shop.store_id, code, [use["unit_id"]])
            say((await refused(again, "certificate_used")).code)

    async def _refund(self, bought: Bought) -> None:
        world = self._world
        with self._steps.step("退款", "the unused voucher is refunded through the fence") as say:
            issued = await lifecycles.certificates(world, bought)
            [unused] = [item["unit_id"] for item in issued if item["state"] == "VALID"]
            refund = await lifecycles.refund(world, bought, [unused])
            if refund["state"] != "SUCCEEDED":
                raise StepFailed(f"refund is {refund['state']}")
            say(f"¥{yuan(refund['amount_fen'])} 原路退回, expected by {refund['expected_by']}")
        with self._steps.step("用后退款", "the used one is reviewed: the merchant refuses, the buyer appeals") as say:
            [used] = [unit for unit in bought.unit_ids if unit != unused]
            await lifecycles.known_as_used(world, bought, [used])
            refund_id = await lifecycles.dispute(world, bought, [used])
            await lifecycles.answer_review(world, bought.shop, refund_id, agreed=False)
            await lifecycles.appeal(world, bought, refund_id)
            say("IN_REVIEW → CONTESTED → IN_ARBITRATION")
        with self._steps.step(
            "平台仲裁", "the platform decides, and the use is paid out as if nothing had been"
        ) as say:
            await lifecycles.arbitrate(world, refund_id, upheld=False)
            await lifecycles.refund_in(world, bought, refund_id, "REFUSED")
            await world.until(lambda: self._is_used_again(bought, used), "redemption lets the certificate go")
            say("REFUSED")

    async def _is_used_again(self, bought: Bought, unit_id: str) -> bool:
        issued = await lifecycles.certificates(self._world, bought)
        return any(item["unit_id"] == unit_id and item["state"] == "USED" for item in issued)

    async def _deliver_by_merchant(self, shop: Shop) -> Bought:
        world = self._world
        with self._steps.step("自配送", "椰子冻 buys mangoes; the merchant's own rider brings them") as say:
            bought = await lifecycles.place(world, shop, "buyer-bo", 1, mode="SELF")
            await lifecycles.pay(world, bought)
            parcel = await lifecycles.deliver_oneself(world, bought)
            await lifecycles.receive(world, bought, parcel["parcel_id"])
            await lifecycles.order_in(world, bought, "COMPLETED")
            say(f"{bought.order['order_no']}  ¥{yuan(bought.order['total_fen'])}  签收 received")
        return bought

    async def _deliver_by_errand_runner(self, shop: Shop) -> Bought:
        world = self._world
        with self._steps.step(
            "跑腿", "小陈's order goes by errand runner (达达 or 闪送), delivered and confirmed"
        ) as say:
            bought = await lifecycles.place(world, shop, "buyer-chen", 1, mode="INSTANT")
            await lifecycles.pay(world, bought)
            parcel = await lifecycles.bring_by_errand_runner(world, bought)
            await lifecycles.receive(world, bought, parcel["parcel_id"])
            await lifecycles.order_in(world, bought, "COMPLETED")
            say(f"{bought.order['order_no']}  {parcel['carrier']}  签收 received")
        return bought

    async def _pay_out(self, *orders: Bought) -> None:
        world = self._world
        with self._steps.step("次日", "the clock moves to T+1, past the payout run") as say:
            # Whatever settlement has not heard of yet would be paid a day later.
            await audit.settled(world, 30)
            say(f"{clock(await move_to_next_payout(world))}")
        for merchant_id in dict.fromkeys(order.shop.merchant_id for order in orders):
            await self._show_payout(next(order.shop for order in orders if order.shop.merchant_id == merchant_id))

    async def _show_payout(self, shop: Shop) -> None:
        world = self._world
        with self._steps.step("到账", f"{shop.name} is paid on T+1 by 直付通, less 0.6 %") as say:

            async def paid() -> dict[str, Any] | None:
                payouts = await world.person(shop.owner).get("settlement", f"/merchants/{shop.merchant_id}/payouts")
                newest = payouts["items"][:1]
                return newest[0] if newest and newest[0]["state"] == "PAID" else None

            payout = await world.until(paid, f"{shop.name} is paid")
            gross, fee, net = (yuan(payout[name]) for name in ("gross_fen", "fee_fen", "net_fen"))
            say(f"¥{gross} − ¥{fee} = ¥{net}  ({payout['uses']} 笔 uses)")


async def move_to_next_payout(world: World) -> str:
    """Move the sandbox's clock to T+1: first past midnight, where uses become final, then past the payout run.

    A use that becomes final only after the day's run would be paid by the next one. By half past ten Alipay's bill of
    the day before is out as well. Returns the new moment."""
    await _move_to(world, days=1, hour=0, minute=5)
    await world.until(lambda: _all_uses_are_final(world), "every use is final")
    return await _move_to(world, days=0, hour=10, minute=30)


async def _move_to(world: World, *, days: int, hour: int, minute: int) -> str:
    now = datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"]).astimezone(SHANGHAI)
    target = (now + timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    moved = await world.sandbox("POST", "/clock/advance", {"seconds": (target - now).total_seconds()})
    return str(moved["now"])


async def _all_uses_are_final(world: World) -> bool:
    orders = await audit.orders_of(world)
    waiting = [
        unit for order in orders["redemption"].values() for unit in order["units"].values() if unit["state"] == "USED"
    ]
    heard = [
        state for order in orders["settlement"].values() for uses in order["units"].values() for state in uses.values()
    ]
    return "USED" not in heard and heard.count("FINAL") + heard.count("CLAIMED") + heard.count("PAID") >= len(waiting)


async def run_payouts(world: World) -> dict[str, Any]:
    """Ask for the payout run of the current business day; repeating it finds nothing new."""
    now = datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"]).astimezone(SHANGHAI)
    done: dict[str, Any] = await world.person(FIRST_OPERATOR).put("settlement", f"/admin/runs/{now.date()}")
    return done
