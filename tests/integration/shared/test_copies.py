"""Every copy ends at the newest state whatever comes first: news before a replay of it, or the other way round."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.console.documents import made_nowhere
from shared.contracts import SERVICES, Event, copies_of
from shared.contracts.catalog import (
    DealChanged,
    DealKind,
    DealVersionPublished,
    MerchantChanged,
    MerchantState,
    PayoutAccountChanged,
    PayoutAccountState,
    Rail,
    StaffChanged,
    StaffRole,
    StoreChanged,
)
from shared.contracts.use_rules import UseRules
from shared.database import Database
from shared.ids import new_id

MADE = made_nowhere()
KEPT = [
    (MADE[service].handlers.by_queue[queue], MADE[service].copies[event])
    for service in SERVICES
    for queue, event in copies_of("catalog", service).items()
]
OLD, NEW = 4, 5
NOW = datetime.now(UTC)
# What differs between the two versions is named by `word`; a published version of a deal never differs.
SAID: dict[type[Event], Callable[[UUID, int, str], Event]] = {
    MerchantChanged: lambda key, version, word: MerchantChanged(
        occurred_at=NOW, version=version, merchant_id=key, name=word, phone=word, state=MerchantState.VERIFIED
    ),
    StoreChanged: lambda key, version, word: StoreChanged(
        occurred_at=NOW, version=version, store_id=key, merchant_id=key, name=word, city=word, address=word,
        latitude=20.0, longitude=110.0, phone=word, open=version == NEW,
    ),
    StaffChanged: lambda key, version, word: StaffChanged(
        occurred_at=NOW, version=version, staff_id=key, subject=word, merchant_id=key, role=StaffRole.CLERK,
        active=version == NEW,
    ),
    PayoutAccountChanged: lambda key, version, word: PayoutAccountChanged(
        occurred_at=NOW, version=version, merchant_id=key, state=PayoutAccountState.VERIFIED, rail=Rail.ZHIFUTONG,
        sub_merchant_id=word, sealed_account=word,
    ),
    DealVersionPublished: lambda key, version, word: DealVersionPublished(
        occurred_at=NOW, version=version, deal_id=key, deal_version=1, merchant_id=key, kind=DealKind.VOUCHER,
        title="双人套餐", cover="hotpot", price_fen=1, original_price_fen=2, per_buyer_limit=0, sale_from=NOW,
        sale_until=NOW + timedelta(days=1), rules=UseRules(valid_days=30),
    ),
    DealChanged: lambda key, version, word: DealChanged(
        occurred_at=NOW, version=version, deal_id=key, deal_version=1, merchant_id=key, online=version == NEW,
        total_quota=version, store_ids=(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("handler", "table"), KEPT, ids=[handler.queue for handler, _ in KEPT])
async def test_a_copy_is_the_newest_whatever_the_order_and_however_often_it_is_said(
    service_db: Callable[[str], Awaitable[Database]], handler: Any, table: str
) -> None:
    service = handler.queue.partition(".")[0]
    db, say = await service_db(service), SAID[handler.event]

    async def rows_after(*versions: int) -> list[dict[str, Any]]:
        key = new_id()
        for version in versions:
            await handler.run(say(key, version, f"word {version}"), db, MADE[service].world)
        async with db.transaction() as tx:
            rows = await tx.fetch(f"select * from {table} where {handler.event.aggregate} = $1", key)
        return [{name: value for name, value in row.items() if value != key} for row in rows]

    newest = await rows_after(NEW)
    assert len(newest) == 1
    for order in ((OLD, NEW), (NEW, OLD), (NEW, NEW, OLD, NEW)):
        assert await rows_after(*order) == newest
