"""Where what is bought now could be used at once."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shared.contracts.use_rules import NotUsable, UseRules, use_window, why_not_usable


def usability(
    rules: UseRules, store_ids: Collection[UUID], open_store_ids: Collection[UUID], now: datetime
) -> dict[UUID, NotUsable | None]:
    """For each store why a unit bought at `now` cannot be used there at `now`, by the engine that redeems it later."""
    window, serving = use_window(rules, now), frozenset(open_store_ids)
    return {store_id: why_not_usable(rules, window, serving, store_id, now) for store_id in store_ids}
