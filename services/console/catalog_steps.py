"""Steps about what a catalog can hold: other forms of deals, shared links, invitations, a store that closes."""

from services.console import lifecycles, street
from services.console.environment import FIRST_OPERATOR
from services.console.lifecycles import Bought
from services.console.people import World
from services.console.steps import StepFailed, Steps, refused
from services.console.street import Street
from shared.money import yuan


class CatalogSteps:
    """Plays them in the street of the demo, numbered along with the rest of the journey."""

    def __init__(self, world: World, steps: Steps) -> None:
        self._world = world
        self._steps = steps

    async def furnish(self) -> Street:
        """The hot-pot shop grows: everything that its pages can show is there."""
        with self._steps.step(
            "上新", "a second store; cash voucher, times-card, tour; a livestream shows the list"
        ) as say:
            opened = await street.open_street(self._world)
            say(" · ".join(shop.title for shop in (opened.cash, opened.card, opened.opening)))
        with self._steps.step("邀请", "the owner sends 小陈 a link; who accepts works in the second store") as say:
            offer = await street.invite_helper(self._world, opened)
            say(f"{offer['merchant_name']} · {offer['role']} · {', '.join(offer['store_names'])}")
        return opened

    async def share_a_card(self, opened: Street) -> Bought:
        """One viewer's link brings another viewer's order, and the order remembers it."""
        world, sharer = self._world, "buyer-an"
        with self._steps.step(
            "分享", "阿May shares the times-card; 椰子冻 buys by her link, and the order knows it"
        ) as say:
            link = await lifecycles.share(world, sharer, opened.card)
            shown = await world.send("GET", "catalog", f"/shares/{link['code']}")
            bought = await lifecycles.place(world, opened.card, "buyer-bo", source=shown["token"])
            await lifecycles.pay(world, bought)
            came_by = await lifecycles.source_of(world, bought)
            if came_by["sharer"] != sharer:
                raise StepFailed(f"the order came by {came_by}")
            say(f"{link['path']} → {bought.order['order_no']}  {came_by['placement']}, sharer {came_by['sharer']}")
        return bought

    async def use_a_card(self, card: Bought) -> None:
        """One use of several: the rest stays with the buyer, and is worth its share of the price."""
        world, shop = self._world, card.shop
        with self._steps.step("次卡", "小陈 redeems one use of the card in the second store") as say:
            [issued] = await lifecycles.certificates(world, card)
            await lifecycles.redeem(world, shop.clerk, shop.store_id, issued["code"])
            left = await lifecycles.uses_left(world, card, 4)
            say(f"{shop.title}: 剩 {left} 次 uses left")

    async def use_cash_vouchers(self, opened: Street) -> Bought:
        """Two vouchers stack on one bill, a third one does not."""
        world, shop = self._world, opened.hotpot
        with self._steps.step(
            "代金券", "阿May pays one bill with two cash vouchers; three are refused at the till"
        ) as say:
            bought = await lifecycles.place(world, opened.cash, "buyer-an", 3)
            await lifecycles.pay(world, bought)
            code = (await lifecycles.certificates(world, bought))[0]["code"]
            units = bought.unit_ids
            three = lifecycles.redeem(world, shop.clerk, shop.store_id, code, units)
            say((await refused(three, "over_the_count")).code)
            done = await lifecycles.redeem(world, shop.clerk, shop.store_id, code, units[:2])
            say(f"{len(done['uses'])} × ¥100 叠加 stacked")
        return bought

    async def close_a_store(self, opened: Street, card: Bought) -> None:
        """What only the closed store took goes back by itself; what another store takes stays; then it opens again."""
        world, shop, operator = self._world, opened.opening, self._world.person(FIRST_OPERATOR)
        closing = f"/stores/{shop.store_id}/closing"
        with self._steps.step(
            "关闭门店", "the second store closes: what only it took is refunded, and nobody asked"
        ) as say:
            bought = await lifecycles.place(world, shop, "buyer-an", 2)
            await lifecycles.pay(world, bought)
            await lifecycles.certificates(world, bought)
            await operator.put("catalog", closing, {"closed": True, "reason": "消防整改"})
            refunds = await lifecycles.refunds_by_themselves(world, bought, 2)
            say(f"{shop.title} × 2: ¥{yuan(sum(one['amount_fen'] for one in refunds))} 原路退回 RECALLED")
        with self._steps.step(
            "他店可用", "the times-card is good in the other store, so it stays; the store opens again"
        ) as say:
            [kept] = await lifecycles.certificates(world, card)
            if kept["state"] != "VALID":
                raise StepFailed(f"the card is {kept['state']}")
            await operator.put("catalog", closing, {"closed": False})
            say(f"{card.shop.title}: {kept['state']}")
