"""What is special when orders are placed together: each its own answer, nothing spoiled, the same rows, no deadlock."""

from typing import Any
from uuid import UUID

import pytest

from services.checkout.use_cases import place_order as plain
from services.checkout.use_cases import placing
from services.checkout.use_cases.offers import Offers
from services.checkout.use_cases.place_order import Wanted
from shared.contracts.catalog import (
    CashVoucherTerms,
    CodeSource,
    DealForm,
    DealKind,
    DeliveryMode,
    RefundPolicy,
)
from shared.database import Transaction
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import ADDRESS, Stage, a_buyer, code_of
from tests.integration.checkout.together import Tries, ask, codes, wanted


async def test_one_batch_answers_each_request_by_itself(stage: Stage, tries: Tries) -> None:
    few, limited, goods, sold_out = [
        await stage.sell(deal) for deal in (Deal(quota=3), Deal(limit=2), Deal(kind=DealKind.GOODS), Deal(quota=0))
    ]
    before, order_id = await stage.placed(limited, buyer := a_buyer()), new_id()
    tries.clear()

    outcomes = await ask(
        stage,
        wanted(few, quantity=2),
        wanted(few, quantity=2),
        wanted(few),
        wanted(limited, buyer),
        wanted(limited, buyer),
        wanted(limited, quantity=2),
        wanted(goods),
        wanted(sold_out),
        wanted(Deal()),
        Wanted(new_id(), a_buyer(), few.deal_id, 2, 1),
        wanted(limited, "bo", order_id=order_id),
        wanted(limited, "bo", order_id=order_id),
        wanted(limited, "bo", 2, order_id=order_id),
        wanted(limited, buyer, order_id=before.order_id),
    )

    assert codes(outcomes) == [
        "placed", "deal_sold_out", "placed", "placed", "buyer_limit_reached", "placed", "delivery_needed",
        "deal_sold_out", "deal_offline", "deal_version_changed", "placed", "placed", "id_taken", "placed",
    ]  # fmt: skip
    assert outcomes[10] == outcomes[11]
    assert outcomes[13][0].order_id == before.order_id
    assert tries == [14]
    assert [await stage.stock(deal) for deal in (few, limited, goods, sold_out)] == [(3, 0), (5, 0), (0, 0), (0, 0)]
    counted = "select units from buyer_counters where deal_id = $1 and buyer = $2"
    assert await stage.value(counted, limited.deal_id, buyer) == 2


async def test_many_orders_of_a_hot_deal_cost_as_many_statements_as_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await stage.sell()
    await stage.placed(deal)
    statements: list[str] = []
    for name in ("fetch", "row", "value", "execute"):
        run = getattr(Transaction, name)

        async def counted(self: Transaction, statement: str, *values: Any, run: Any = run) -> Any:
            statements.append(statement)
            return await run(self, statement, *values)

        monkeypatch.setattr(Transaction, name, counted)

    async def once(orders: int) -> int:
        statements.clear()
        assert codes(await ask(stage, *(wanted(deal) for _ in range(orders)))) == ["placed"] * orders
        return len(statements)

    async def cost(orders: int) -> int:
        # A notify about an earlier test's order may arrive meanwhile: it can only add statements.
        return min([await once(orders) for _ in range(3)])

    assert [await cost(1), await cost(30)] == [8, 8]


@pytest.mark.parametrize(
    "deal",
    [
        Deal(limit=5),
        Deal(kind=DealKind.GOODS, fee_fen=500),
        Deal(uses=4, form=DealForm.TIMES_CARD, policy=RefundPolicy.ON_EXPIRY),
        Deal(form=DealForm.CASH_VOUCHER, cash=CashVoucherTerms(face_value_fen=20_000)),
        Deal(form=DealForm.THIRD_PARTY_CODE, code_source=CodeSource.POOL),
    ],
    ids=lambda deal: deal.form or deal.kind,
)
async def test_both_ways_write_the_same_rows(stage: Stage, deal: Deal) -> None:
    await stage.sell(deal)
    delivery = {"mode": DeliveryMode.COURIER, "address": _address()} if deal.kind is DealKind.GOODS else {}
    many = [wanted(deal, "the same buyer", 2, source="abc", correlation_id="c", **delivery) for _ in range(2)]
    world = stage.world
    async with stage.db.transaction() as tx:
        within = world.settings.pay_within
        await placing.place_together(tx, world.seals, within, Offers(1.0), many[:1])
        await plain.place_order(tx, world.seals, within, many[1])

    together, alone = [await _rows_of(stage, one.order_id) for one in many]
    assert together == alone


async def _rows_of(stage: Stage, order_id: UUID) -> list[Any]:
    """Everything that an order wrote, without what is new for each."""
    new = {"order_id", "order_no", "changed_at", "request_digest", "sealed_address", "unit_id", "key", "payload"}
    found = []
    async with stage.db.transaction() as tx:
        for table, key in (("orders", "order_id"), ("units", "order_id"), ("timers", "key")):
            rows = await tx.fetch(f"select to_jsonb(t) as row from {table} t where {key}::text = $1", str(order_id))
            found.append([{name: value for name, value in row["row"].items() if name not in new} for row in rows])
    return found


def _address() -> Any:
    from services.checkout.routes.orders import TypedAddress

    return TypedAddress.model_validate(ADDRESS).normal()


async def test_what_an_order_sets_off_is_traced_to_its_own_request(stage: Stage) -> None:
    deal = await stage.sell()
    many = [wanted(deal, correlation_id=f"request-{n}") for n in range(3)]
    await ask(stage, *many)

    cause = "select payload->>'correlation_id' from timers where kind = 'order_expired' and key = $1"
    assert [await stage.value(cause, str(one.order_id)) for one in many] == [one.correlation_id for one in many]


# What the batch decided in memory is checked once more by the statements that write it.


async def test_over_http_an_order_that_no_batch_takes_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = await stage.sell()
    monkeypatch.setattr(stage.world.placing._group, "_waiting_limit", 0)
    assert code_of(await stage.place(deal, a_buyer())) == (503, "too_busy")
