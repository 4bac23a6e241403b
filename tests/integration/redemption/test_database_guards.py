"""What the database itself refuses, should a statement ever be wrong."""

import asyncpg
import pytest

from services.redemption import consumers
from tests.integration.redemption.stage import Stage, refund_request, refund_succeeded, units_of

FENCE = "set state = 'REFUNDING', state_before = 'VALID', refund_id = gen_random_uuid()"
COPY = "select gen_random_uuid(), unit_id, use_no, redemption_id, paid_fen from uses"
IMPOSSIBLE = [
    "update certificates set state = 'VALID', uses_left = 1 where unit_id = $1",
    f"update certificates {FENCE} where unit_id = $1",
    "update certificates set uses_left = -1 where unit_id = $1",
    "update certificates set uses_left = 1 where unit_id = $1",
    "update uses set state = 'SETTLED' where unit_id = $1",
    "update uses set state = 'REVERSED' where unit_id = $1",
    "update certificates set state = 'VALID', uses_left = 1, freed_nos = '{1}' where unit_id = $1",
    "update certificates set reversals = 11 where unit_id = $1",
    f"insert into uses (use_id, unit_id, use_no, redemption_id, paid_fen) {COPY} where unit_id = $1",
]


@pytest.mark.parametrize("statement", IMPOSSIBLE)
async def test_a_used_certificate_stays_used(stage: Stage, statement: str) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    assert (await stage.redeem(shop, order)).status_code == 201
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)):
        async with stage.db.transaction() as tx:
            await tx.execute(statement, units_of(order)[0])
    assert await stage.states(order) == ["USED"]


async def test_a_process_from_before_reversals_cannot_use_a_card_with_a_gap(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=3)
    token = await stage.token(shop, order)
    first, _ = [(await stage.verify(shop, token, units_of(order))).json() for _ in range(2)]
    assert (await stage.reverse(shop, first["redemption_id"])).status_code == 201
    as_it_was = "update certificates set uses_left = uses_left - 1, changed_at = now() where unit_id = $1"
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(as_it_was, units_of(order)[0])
    assert (await stage.verify(shop, token, units_of(order))).json()["uses"][0]["use_no"] == 1


async def test_a_number_has_one_live_use_and_any_number_of_reversed_ones(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    for _ in range(2):
        done = (await stage.redeem(shop, order)).json()
        assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201
    assert (await stage.redeem(shop, order)).status_code == 201
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                "update uses set state = 'USED', reversal_id = null where unit_id = $1", units_of(order)[0]
            )


@pytest.mark.parametrize("state", ["VALID", "USED", "EXPIRED", "SETTLED", "ISSUING"])
async def test_a_refunded_certificate_stays_refunded(stage: Stage, state: str) -> None:
    order = await stage.pay(await stage.open_shop())
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                "update certificates set state = $2, refund_id = null, uses_left = $3 where unit_id = $1",
                units_of(order)[0],
                state,
                0 if state in {"USED", "SETTLED"} else 1,
            )


async def test_two_certificates_never_share_a_code(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=2)
    first, second = units_of(order)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                "update certificates set code_hash = (select code_hash from certificates where unit_id = $1)"
                " where unit_id = $2",
                first,
                second,
            )
