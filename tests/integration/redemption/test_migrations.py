"""What the migrations make of rows that were there before them."""

import importlib

import pytest

from shared.contracts.use_rules import UseRules
from tests.integration.redemption.stage import Stage


class RolledBack(Exception):
    """Nothing of this stays."""


async def test_orders_of_before_keep_their_blackout_dates_as_rules(stage: Stage) -> None:
    recall = importlib.import_module("services.redemption.migrations.0003_recall")
    order = await stage.pay(await stage.open_shop(), rules=UseRules(blackout_dates=(stage.now().date(),)))
    found = []
    with pytest.raises(RolledBack):
        async with stage.db.transaction() as tx:
            await tx.execute(
                """drop table merchants; drop index orders_merchant_id_order_id_idx;
                   alter table orders drop column rules; alter table orders drop column codes_due_at"""
            )
            await tx.execute(recall._RECALL)
            found.append(await tx.value("select rules from orders where order_id = $1", order.order_id))
            raise RolledBack
    assert UseRules.model_validate(found[0]) == UseRules(blackout_dates=order.rules.blackout_dates)
