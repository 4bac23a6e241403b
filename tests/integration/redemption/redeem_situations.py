"""In what state a certificate is when it is shown, and how: one function per row of the table of outcomes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from services.redemption import consumers
from shared.clock import SHANGHAI, business_day
from shared.contracts.catalog import DealForm
from shared.contracts.checkout import OrderPaid, RefundCause
from shared.contracts.hours import WeeklyHours
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from tests.integration.redemption.losses import lose, store_lost
from tests.integration.redemption.redeeming import settled, token_for, used
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    other_store,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)

Send = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Situation:
    """An order, and what is sent about it; `words` fill the sentences that are expected."""

    order: OrderPaid
    send: Send
    words: dict[str, str]


def verifying(
    stage: Stage, shop: Shop, order: OrderPaid, units: list[UUID] | None = None, redemption_id: UUID | None = None,
    **words: str,
) -> Situation:  # fmt: skip
    """The till verifies with a token of our own making, so that what is refused is refused by verify."""
    named, token = redemption_id or new_id(), token_for(stage, shop, order)
    return Situation(order, lambda: stage.verify(shop, token, units or units_of(order), named), words)


async def plain(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(shop))


async def two_together(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(shop, units=2))


async def refund_given_up(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    return verifying(stage, shop, order)


async def same_id_and_body(stage: Stage, shop: Shop) -> Situation:
    order, redemption_id = await stage.pay(shop), new_id()
    assert (await stage.verify(shop, token_for(stage, shop, order), units_of(order), redemption_id)).status_code == 201
    return verifying(stage, shop, order, redemption_id=redemption_id)


async def same_id_other_body(stage: Stage, shop: Shop) -> Situation:
    order, redemption_id = await stage.pay(shop, units=2), new_id()
    first, second = units_of(order)
    assert (await stage.verify(shop, token_for(stage, shop, order), [first], redemption_id)).status_code == 201
    return verifying(stage, shop, order, [second], redemption_id)


async def unknown(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    wrong = f"{(int(await stage.code(order)) + 1) % 10**12:012d}"
    return Situation(order, lambda: stage.prepare(shop, code=wrong), {})


async def unpaid(stage: Stage, shop: Shop) -> Situation:
    order = stage.order(shop)
    qr, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC))
    return Situation(order, lambda: stage.prepare(shop, scanned=qr), {})


async def typed_of_another_merchant(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(await stage.open_shop())
    code = await stage.code(order)
    return Situation(order, lambda: stage.prepare(shop, code=code), {})


async def scanned_of_another_merchant(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(await stage.open_shop())
    qr, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC))
    return Situation(order, lambda: stage.prepare(shop, scanned=qr), {})


async def old_qr(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    qr, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC) - timedelta(seconds=61))
    return Situation(order, lambda: stage.prepare(shop, scanned=qr), {})


async def of_another_store(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(await stage.open_shop(other_store(shop))))


async def of_another_merchant(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(await stage.open_shop()))


async def too_early(stage: Stage, shop: Shop) -> Situation:
    opens = stage.now() + timedelta(days=1)
    order = await stage.pay(shop, rules=UseRules(use_from=opens, valid_days=30))
    return verifying(stage, shop, order, when=shanghai(opens))


async def too_late(stage: Stage, shop: Shop) -> Situation:
    until = stage.now() + timedelta(hours=1)
    order = await stage.pay(shop, rules=UseRules(use_until=until))
    await stage.pass_time(timedelta(hours=2))
    return verifying(stage, shop, order, when=shanghai(until))


async def day_excluded(stage: Stage, shop: Shop) -> Situation:
    rules = UseRules(valid_days=30, blackout_dates=(business_day(stage.now()),))
    return verifying(stage, shop, await stage.pay(shop, rules=rules))


async def hours_excluded(stage: Stage, shop: Shop) -> Situation:
    never_now = "00:00" if stage.now().astimezone(SHANGHAI).hour >= 2 else "12:00"
    hours = WeeklyHours(weekdays=(1, 2, 3, 4, 5, 6, 7), opens=never_now, closes=f"{int(never_now[:2]) + 1:02d}:00")
    return verifying(stage, shop, await stage.pay(shop, rules=UseRules(valid_days=30, usable_hours=(hours,))))


async def over_the_count(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(shop, units=2, rules=UseRules(valid_days=30, max_count=1)))


async def not_issued(stage: Stage, shop: Shop) -> Situation:
    return verifying(stage, shop, await stage.pay(shop, form=DealForm.THIRD_PARTY_CODE))


async def used_before(stage: Stage, shop: Shop) -> Situation:
    order = await used(stage, shop)
    return verifying(stage, shop, order, when=await when_used(stage, order), where=shop.name)


async def used_in_part(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop, units=2)
    first = await stage.verify(shop, token_for(stage, shop, order), units_of(order)[:1])
    assert first.status_code == 201
    return verifying(stage, shop, order, when=await when_used(stage, order), where=shop.name)


async def used_and_paid_out(stage: Stage, shop: Shop) -> Situation:
    order = await settled(stage, shop)
    return verifying(stage, shop, order, when=await when_used(stage, order), where=shop.name)


async def disputed(stage: Stage, shop: Shop) -> Situation:
    order = await used(stage, shop)
    request = refund_request(order).model_copy(update={"cause": RefundCause.AFTER_USE})
    await consumers.fence_refund(request, stage.db)
    assert await stage.states(order) == ["DISPUTED"]
    return verifying(stage, shop, order, when=await when_used(stage, order), where=shop.name)


async def refunding(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    await consumers.fence_refund(refund_request(order), stage.db)
    return verifying(stage, shop, order)


async def refunded(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    return verifying(stage, shop, order)


async def recalled(stage: Stage, shop: Shop) -> Situation:
    # Sold for a sister store that is lost since; the till that tries is in this one.
    sister = await stage.open_shop(other_store(shop))
    order = await stage.pay(sister)
    await lose(stage, store_lost(stage, sister))
    return verifying(stage, shop, order)


async def store_closed(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    await stage.keep_store(shop, version=2, is_open=False)
    return verifying(stage, shop, order)


async def staff_revoked(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, active=False)
    return verifying(stage, shop, order)


async def staff_moved(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, stores=(new_id(),))
    return verifying(stage, shop, order)


async def store_sold(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    await stage.keep_store(replace(shop, merchant_id=new_id()), version=2)
    return verifying(stage, shop, order)


async def confirmed_too_late(stage: Stage, shop: Shop) -> Situation:
    order = await stage.pay(shop)
    ended = token_for(stage, shop, order, age=timedelta(seconds=121))
    return Situation(order, lambda: stage.verify(shop, ended, units_of(order)), {})


async def not_what_was_prepared(stage: Stage, shop: Shop) -> Situation:
    order, other = await stage.pay(shop), await stage.pay(shop)
    token = token_for(stage, shop, other)
    return Situation(order, lambda: stage.verify(shop, token, units_of(order)), {})


def shanghai(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


async def when_used(stage: Stage, order: OrderPaid) -> str:
    async with stage.db.transaction() as tx:
        return shanghai(
            await tx.value(
                "select used_at from redemptions where order_id = $1 order by used_at desc limit 1", order.order_id
            )
        )
