"""The database's own guards on the ledger, each seen alone."""

from datetime import date, timedelta
from uuid import uuid4

import asyncpg
import pytest

from services.settlement.store.misfits import misfits
from services.settlement.use_cases import months
from shared.contracts.checkout import OrderPaid
from shared.database import Transaction
from tests.integration.settlement.stage import Stage

_SET = "insert into posting_sets (set_id, kind, order_id, business_day, occurred_at) values ($1, 'REFUND', $2, $3, $4)"
_LINE = "insert into postings (set_id, account, owner, amount_fen) values ($1, $2, $3, $4)"


class Rollback(Exception):
    """Ends a transaction whose changes nobody else shall see."""


async def post_unbalanced(stage: Stage, tx: Transaction, order: OrderPaid) -> None:
    set_id = uuid4()
    await tx.execute(_SET, set_id, order.order_id, stage.today(), stage.now())
    await tx.execute(_LINE, set_id, "CHANNEL_REFUNDED", uuid4(), -100)
    await tx.execute(_LINE, set_id, "BUYER_CLEARING", uuid4(), 99)


async def test_the_database_refuses_a_posting_set_that_does_not_sum_to_zero(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(asyncpg.CheckViolationError, match="sums to -1 fen"):
        async with stage.db.transaction() as tx:
            await post_unbalanced(stage, tx, order)


async def test_without_the_trigger_an_unbalanced_set_goes_through_and_the_audit_names_it(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(Rollback):
        async with stage.db.transaction() as tx:
            await tx.execute("alter table postings disable trigger posting_set_sums_to_zero")
            await post_unbalanced(stage, tx, order)
            await tx.execute("set constraints all immediate")
            assert [one.what for one in (await misfits(tx)).found] == ["unbalanced_posting_set"]
            raise Rollback


async def test_a_line_added_later_cannot_unbalance_a_set(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            set_id = await tx.value("select set_id from posting_sets where order_id = $1", order.order_id)
            await tx.execute(_LINE, set_id, "CHANNEL_FEE", uuid4(), 1)


@pytest.mark.parametrize(
    "statement",
    [
        "update postings set amount_fen = amount_fen * 2 where set_id = $1",
        "delete from postings where set_id = $1",
        "update posting_sets set kind = 'PAYOUT' where set_id = $1",
        "delete from posting_sets where set_id = $1",
    ],
)
async def test_what_was_posted_cannot_be_changed(stage: Stage, statement: str) -> None:
    order = await stage.pay(await stage.merchant())
    async with stage.db.transaction() as tx:
        set_id = await tx.value("select set_id from posting_sets where order_id = $1", order.order_id)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(statement, set_id)


async def test_the_ledger_cannot_be_emptied(stage: Stage) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute("truncate postings")


async def partition_of(stage: Stage, tx: Transaction, order: OrderPaid) -> str:
    name: str = await tx.value(
        """select postings.tableoid::regclass::text from postings join posting_sets using (set_id)
           where order_id = $1 limit 1""",
        order.order_id,
    )
    return name


async def test_every_line_lies_in_the_month_of_its_business_day(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    async with stage.db.transaction() as tx:
        assert await partition_of(stage, tx, order) == f"postings_{stage.today():%Y%m}"


@pytest.mark.parametrize("statement", ["update {} set amount_fen = 1", "delete from {}", "truncate {}"])
async def test_a_month_cannot_be_changed_by_its_own_name_either(stage: Stage, statement: str) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(asyncpg.RestrictViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(statement.format(await partition_of(stage, tx, order)))


async def test_a_month_refuses_an_unbalanced_set_by_its_own_name_too(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            line = _LINE.replace("postings", await partition_of(stage, tx, order))
            set_id = uuid4()
            await tx.execute(_SET, set_id, order.order_id, stage.today(), stage.now())
            await tx.execute(line, set_id, "CHANNEL_FEE", uuid4(), 1)


async def test_months_are_made_ahead_once_whatever_the_clock_says(stage: Stage) -> None:
    stage.go_to_noon_of(date(2031, 5, 7))
    for _ in range(2):
        async with stage.db.transaction() as tx:
            await months.make_ahead(tx)
            assert await tx.value("select to_regclass('postings_203206') is not null")
            timer = await tx.row("select due_at from timers where kind = $1", months.LEDGER_MONTHS)
        assert timer is not None
        assert timer["due_at"] == pytest.approx(stage.now() + timedelta(days=7), abs=timedelta(minutes=1))


async def test_a_line_outside_every_month_is_kept_and_named_by_the_audit(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    far = date(2199, 1, 1)
    with pytest.raises(Rollback):
        async with stage.db.transaction() as tx:
            set_id = uuid4()
            await tx.execute(_SET, set_id, order.order_id, far, stage.now())
            for account, fen in (("CHANNEL_RECEIVED", 1), ("BUYER_CLEARING", -1)):
                await tx.execute(
                    "insert into postings (set_id, business_day, account, owner, amount_fen) "
                    "values ($1, $2, $3, $4, $5)",
                    set_id, far, account, uuid4(), fen,
                )  # fmt: skip
            assert {one.what for one in (await misfits(tx)).found} == {"posting_outside_every_month"}
            assert not await tx.value("select make_ledger_month($1)", far)
            raise Rollback


async def test_a_cause_is_posted_once_even_if_everything_else_lets_it_through(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(asyncpg.UniqueViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                """insert into posting_sets (set_id, kind, order_id, business_day, occurred_at)
                   select set_id, kind, order_id, business_day, occurred_at from posting_sets where order_id = $1""",
                order.order_id,
            )


async def test_balances_follow_the_postings_without_reading_them(stage: Stage) -> None:
    merchant = await stage.merchant()
    for _ in range(20):
        await stage.use(await stage.pay(merchant, 1_234))
    async with stage.db.transaction() as tx:
        row = await tx.row(
            """select sum(balance_fen)::bigint as fen, count(*) as rows from balances
               where account = 'MERCHANT_PAYABLE' and owner = $1""",
            merchant.merchant_id,
        )
    assert row is not None
    assert row["fen"] == -20 * 1_234
    assert row["rows"] > 1


async def test_the_audit_walks_in_pages_and_finds_what_lies_on_any_of_them(stage: Stage) -> None:
    merchant = await stage.merchant()
    orders = [await stage.pay(merchant) for _ in range(12)]
    for order in orders:
        await stage.use(order)
    stage.next_day()
    await stage.run()
    (first, *_, last) = sorted(one["instruction_id"] for one in await stage.instructions(merchant))
    with pytest.raises(Rollback):
        async with stage.db.transaction() as tx:
            await tx.execute("update instructions set fee_fen = fee_fen + 1 where instruction_id = any($1)",
                             [first, last])  # fmt: skip
            await tx.execute("update balances set balance_fen = balance_fen + 1 where owner = $1", merchant.merchant_id)
            walk = await misfits(tx, pages=100_000, page=5)
            raise Rollback
    assert walk.is_over
    found = {(one.what, one.id) for one in walk.found}
    assert {("instruction_is_not_its_uses", str(first)), ("instruction_is_not_its_uses", str(last))} <= found
    assert ("balance_is_not_its_postings", f"MERCHANT_PAYABLE {merchant.merchant_id}") in found


async def test_an_audit_that_may_not_look_at_everything_says_so_and_accuses_no_balance(stage: Stage) -> None:
    merchant = await stage.merchant()
    for _ in range(3):
        await stage.pay(merchant)
    async with stage.db.transaction() as tx:
        walk = await misfits(tx, pages=1, page=2)
    assert not walk.is_over
    assert walk.found == []
