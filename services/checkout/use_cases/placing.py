"""Placing orders that arrive together: one transaction, one statement per table, and each buyer's own answer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.checkout.domain.offers import Offer
from services.checkout.domain.placing import Account, Ask, Decision, Granted, Repeated, decide
from services.checkout.store import orders, placing, stock
from services.checkout.use_cases import schedule
from services.checkout.use_cases.offers import Offers
from services.checkout.use_cases.place_order import Placed, Wanted, freeze, place_order
from shared.database import Transaction
from shared.errors import DomainError
from shared.group_commit import GroupCommit, Transactions
from shared.sealed import Seals


class Undecided(Exception):
    """The tables did not take what was decided under their locks: nothing is committed, each order is tried alone."""


class Placing:
    """The hot path of one process: what arrives while a transaction runs shares the next one."""

    def __init__(self, seals: Seals, pay_within: timedelta, *, batch_limit: int, offers_kept_s: float) -> None:
        self._seals = seals
        self._pay_within = pay_within
        self._offers = Offers(offers_kept_s)
        self._group = GroupCommit("placing", self._together, self._alone, batch_limit=batch_limit)

    async def place(self, db: Transactions, wanted: Wanted) -> Placed:
        """The order, placed and committed, or the one that the same request placed before. Raises why not."""
        return await self._group.submit(db, wanted)

    async def close(self) -> None:
        """Take no more orders on, and end those that were."""
        await self._group.close()

    async def _together(self, tx: Transaction, many: Sequence[Wanted]) -> list[Placed | DomainError]:
        return await place_together(tx, self._seals, self._pay_within, self._offers, many)

    async def _alone(self, tx: Transaction, wanted: Wanted) -> Placed:
        return await place_order(tx, self._seals, self._pay_within, wanted)


async def place_together(
    tx: Transaction, seals: Seals, pay_within: timedelta, offers: Offers, many: Sequence[Wanted]
) -> list[Placed | DomainError]:
    """What `place_order` does, for many, the first first: for each the order or the refusal that it would have had."""
    asks = [_ask(wanted, seals) for wanted in many]
    deal_ids = sorted({ask.deal_id for ask in asks})
    looked_at = await offers.of(tx, deal_ids)
    left = await stock.hold(tx, deal_ids)
    # From here on nobody else sells these deals, and each statement sees all that was committed before.
    placed = await orders.find_orders(tx, {ask.order_id for ask in asks})
    offered = await _offered(tx, offers, looked_at, left)
    limited = {(ask.deal_id, ask.buyer) for ask in asks if ask.deal_id in offered and _is_limited(offered, ask)}
    counted = await placing.counted(tx, sorted(limited)) if limited else {}
    digests = {order_id: order.request_digest for order_id, order in placed.items()}
    decisions = decide(asks, digests, offered, counted, tx.now)
    granted = {
        ask.order_id: (wanted, freeze(tx.now, seals, pay_within, wanted, decision.offer, ask.digest))
        for wanted, ask, decision in zip(many, asks, decisions, strict=True)
        if isinstance(decision, Granted)
    }
    if granted:
        await _write(tx, list(granted.values()), {account: counted.get(account, 0) for account in limited})
    found = await orders.units_of(tx, list(placed)) if placed else {}
    outcomes = {order_id: (order, found[order_id]) for order_id, order in placed.items()}
    outcomes |= {order_id: order for order_id, (_, order) in granted.items()}
    return [_outcome(ask, decision, outcomes) for ask, decision in zip(asks, decisions, strict=True)]


def _ask(wanted: Wanted, seals: Seals) -> Ask:
    return Ask(
        order_id=wanted.order_id,
        digest=wanted.digest(seals),
        deal_id=wanted.deal_id,
        deal_version=wanted.deal_version,
        buyer=wanted.buyer,
        quantity=wanted.quantity,
        mode=wanted.mode,
    )


def _is_limited(offered: Mapping[UUID, Offer], ask: Ask) -> bool:
    return offered[ask.deal_id].per_buyer_limit > 0


def _outcome(ask: Ask, decision: Decision, outcomes: Mapping[UUID, Placed]) -> Placed | DomainError:
    return outcomes[ask.order_id] if isinstance(decision, Granted | Repeated) else decision


async def _offered(
    tx: Transaction, offers: Offers, looked_at: Mapping[UUID, Offer], left: Mapping[UUID, int]
) -> dict[UUID, Offer]:
    """What is on sale at this moment: the terms that were looked at if they are still the ones, looked up anew if not,
    with what the database says now of everything that changes."""
    now = await placing.deals_now(tx, list(left))
    current = {deal_id: offer for deal_id, offer in looked_at.items() if _is_still_sold(offer, now.get(deal_id))}
    stale = [deal_id for deal_id in left if deal_id not in current]
    offered = {
        deal_id: replace(offer, online=now[deal_id].online, store_ids=now[deal_id].store_ids, payee=now[deal_id].payee)
        for deal_id, offer in current.items()
        if deal_id in left
    }
    offered |= await offers.anew(tx, stale)
    return {deal_id: replace(offer, available=left[deal_id]) for deal_id, offer in offered.items()}


def _is_still_sold(offer: Offer, now: placing.DealNow | None) -> bool:
    return now is not None and now.deal_version == offer.deal_version


async def _write(tx: Transaction, granted: Sequence[tuple[Wanted, Placed]], counted: Mapping[Account, int]) -> None:
    """Table by table. Each says whether it took exactly what was decided. `counted` is what the buyers of limited
    deals had before."""
    taken: dict[UUID, int] = defaultdict(int)
    bought: dict[Account, int] = defaultdict(int)
    for _, (order, _) in granted:
        taken[order.deal_id] += order.quantity
        bought[order.deal_id, order.buyer] += order.quantity
    versions = {order.deal_id: order.deal_version for _, (order, _) in granted}
    deals, unsaid = await placing.reserve_all(tx, taken, versions)
    if deals != len(taken):
        raise Undecided(f"stock of {len(taken) - deals} deals")
    counters = await placing.count_all(tx, bought)
    if any(counters[account] != counted[account] + bought[account] for account in counted.keys() & bought.keys()):
        raise Undecided("counters of buyers")
    if await placing.add_orders(tx, [order for _, (order, _) in granted]) != len(granted):
        # The id of one of them went to a request for another deal, whose stock is not held here.
        raise Undecided("order ids")
    await placing.add_units(tx, [(order.order_id, unit) for _, (order, units) in granted for unit in units])
    await schedule.expire_orders(
        tx, [(order.order_id, order.expires_at, wanted.correlation_id) for wanted, (order, _) in granted]
    )
    await schedule.say_availability(tx, unsaid)
