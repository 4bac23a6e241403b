"""Guessing codes: whoever tries too many waits, and nobody waits for a colleague's mistakes."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest

from services.redemption.domain.guessing import DAY, LIMITS, SOON, Guesser, Level, Limit, source_of
from services.redemption.store import refusals
from services.redemption.store.refusals import Step
from shared.contracts.catalog import StaffRole
from shared.ids import new_id
from tests.integration.redemption.stage import Shop, Stage, as_, other_store, units_of

BY_NAME = {f"{limit.level.value}-{'day' if limit.within == DAY else 'soon'}": limit for limit in LIMITS}
MINE = BY_NAME["operator-soon"]


async def test_refusals_are_forgotten_after_ninety_days_and_not_earlier(stage: Stage) -> None:
    shop = await stage.open_shop()
    for _ in range(2):
        await try_code(stage, shop, "000000000000")
    async with stage.db.transaction() as tx:
        # The oldest of all, so that the batch finds it whatever other tests were refused.
        await tx.execute(
            """insert into refusals (refusal_id, at, recorded_at, step, code, operator, store_id, unit_ids)
               overriding system value
               values (-1, now(), now() - interval '91 days', 'TYPED', 'code_unknown', $1, $2, '{}')""",
            shop.clerk,
            shop.store_id,
        )
    assert len(await stage.refusals(shop.clerk)) == 3
    async with stage.db.transaction() as tx:
        assert await refusals.purge(tx, 1) == 1
        assert await refusals.purge(tx, 1) == 0
    assert await stage.refusals(shop.clerk) == ["code_unknown"] * 2


async def try_code(
    stage: Stage,
    shop: Shop,
    code: str,
    *,
    clerk: str = "",
    device_id: str | None = None,
    address: str = "127.0.0.1",
    store_id: UUID | None = None,
) -> httpx.Response:
    """A code that is typed by somebody, on some device, from some address."""
    body = {"store_id": str(store_id or shop.store_id), "code": code, "device_id": device_id}
    async with stage.from_address(address) as http:
        return await http.post("/preparations", json=body, headers=as_(clerk or shop.clerk))


async def wrong_codes(stage: Stage, limit: Limit, guesser: Guesser, count: int) -> None:
    """As many wrong codes as others have tried whom this guesser shares something with."""
    others = {
        Level.OPERATOR: lambda: replace(guesser, store_id=new_id(), device_id=None, source=None),
        Level.DEVICE: lambda: replace(guesser, operator=uuid4().hex, store_id=new_id(), source=None),
        Level.STORE: lambda: replace(guesser, operator=uuid4().hex, device_id=None, source=None),
        Level.SOURCE: lambda: replace(guesser, operator=uuid4().hex, store_id=new_id(), device_id=None),
    }
    async with stage.db.transaction() as tx:
        for _ in range(count):
            await refusals.record(tx, Step.TYPED, "code_unknown", others[limit.level](), guess=True)


async def grow_old(stage: Stage, limit: Limit, seconds: int) -> None:
    """Whatever was refused was so long ago that this limit has just forgotten it."""
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update refusals set recorded_at = now() - $1 * interval '1 second' where guess",
            limit.within.total_seconds() + seconds,
        )


@pytest.mark.parametrize("name", BY_NAME)
async def test_every_limit_locks_out_by_itself_says_for_how_long_and_ends(stage: Stage, name: str) -> None:
    limit = BY_NAME[name]
    shop = await stage.open_shop()
    code = await stage.code(await stage.pay(shop))
    device_id = uuid4().hex
    # A public address that no other test has.
    address = f"2a00:1{uuid4().hex[:3]}:1{uuid4().hex[:3]}:1::7"
    source = source_of(address)
    assert source is not None
    guesser = Guesser(shop.clerk, shop.store_id, device_id, stage.codes.digest("source", source))

    async def right_code() -> httpx.Response:
        return await try_code(stage, shop, code, device_id=device_id, address=address)

    await wrong_codes(stage, limit, guesser, limit.wrong - 1)
    # Only the limit under test is near: the shorter one of the same level is over by now.
    if limit.within == DAY:
        await grow_old(stage, Limit(limit.level, 0, SOON), 60)
    assert (await right_code()).status_code == 200
    await wrong_codes(stage, limit, guesser, 1)
    locked = await right_code()
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(locked.headers["retry-after"]) <= limit.within.total_seconds()
    assert int(locked.headers["retry-after"]) == locked.json()["retry_after_s"]
    await grow_old(stage, limit, 1)
    assert (await right_code()).status_code == 200


async def test_a_person_who_is_locked_out_may_still_scan_and_colleagues_may_still_type(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    code, device_id, address = await stage.code(order), uuid4().hex, "9.9.9.9"
    colleague = replace(shop, clerk=f"clerk-{uuid4().hex[:8]}", staff_id=new_id())
    await stage.keep_staff(colleague)

    async def typed(clerk: str, text: str) -> int:
        return (await try_code(stage, shop, text, clerk=clerk, device_id=device_id, address=address)).status_code

    answers = await asyncio.gather(*(typed(shop.clerk, f"{n:012d}") for n in range(MINE.wrong + 15)))
    assert sorted(answers) == [404] * MINE.wrong + [429] * 15
    assert await typed(shop.clerk, code) == 429
    assert await typed(colleague.clerk, code) == 200
    token, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC))
    assert (await stage.prepare(shop, scanned=token)).status_code == 200


async def test_no_single_person_can_reach_the_limit_of_what_he_shares(stage: Stage) -> None:
    for within in (SOON, DAY):
        mine = next(one.wrong for one in LIMITS if one.level is Level.OPERATOR and one.within == within)
        for level, others in ((Level.DEVICE, 2), (Level.STORE, 4), (Level.SOURCE, 10)):
            shared = next(one.wrong for one in LIMITS if one.level is level and one.within == within)
            assert shared > mine * others
    shop = await stage.open_shop()
    for number in range(MINE.wrong + 30):
        await try_code(stage, shop, f"{number:012d}")
    assert (await stage.refusals(shop.clerk)).count("code_unknown") == MINE.wrong, (
        "those who are locked out add nothing"
    )


async def test_only_wrong_codes_that_were_typed_count(stage: Stage) -> None:
    shop = await stage.open_shop()
    used, fresh = await stage.pay(shop), await stage.pay(shop)
    assert (await stage.redeem(shop, used)).status_code == 201
    for _ in range(MINE.wrong + 1):
        assert (await stage.prepare(shop, code=await stage.code(used))).status_code == 200
        assert (await stage.prepare(shop, scanned="GB1:AAAA")).status_code == 404
    assert (await stage.prepare(shop, code=await stage.code(fresh))).status_code == 200


async def test_a_code_of_another_merchant_counts_like_one_that_nobody_has(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    code = await stage.code(await stage.pay(shop))
    answers = [await stage.prepare(stranger, code=code) for _ in range(MINE.wrong + 1)]
    assert [one.status_code for one in answers] == [404] * MINE.wrong + [429]


async def test_a_private_address_is_no_source_because_everybody_stands_behind_it(stage: Stage) -> None:
    shop = await stage.open_shop()
    await try_code(stage, shop, "000000000000", address="10.0.0.7")
    await try_code(stage, shop, "000000000000", address="9.9.9.10")
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("select source from refusals where operator = $1 order by refusal_id", shop.clerk)
    assert [row["source"] is None for row in rows] == [True, False]
    assert b"9.9.9.10" not in rows[1]["source"]


async def test_staff_of_another_store_do_not_reach_the_counting_at_all(stage: Stage) -> None:
    shop = await stage.open_shop()
    elsewhere = await stage.open_shop(other_store(shop))
    await stage.keep_staff(elsewhere, version=2, role=StaffRole.CLERK)
    for _ in range(3):
        answer = await try_code(stage, shop, "000000000000", clerk=elsewhere.clerk)
        assert answer.status_code == 403
    async with stage.db.transaction() as tx:
        assert await tx.value("select count(*) from refusals where store_id = $1 and guess", shop.store_id) == 0
