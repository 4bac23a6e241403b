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
