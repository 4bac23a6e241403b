"""Messages in, from the other services and from time: one transaction, once per message, one use case."""

from uuid import UUID

from services.settlement.gateways import World
from services.settlement.store import copies
from services.settlement.store.runs import SEND_INSTRUCTION
from services.settlement.use_cases import disputes, months, pay, record, run
from shared.auth import keep_staff as keep_staff_copy
from shared.contracts.catalog import MerchantChanged, PayoutAccountChanged, StaffChanged
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundSucceeded
from shared.contracts.dispatch import GoodsDisputed, ParcelReceived
from shared.contracts.redemption import CertificateUsed, UseDisputed, UseFinal, UseReversed
from shared.database import Database, Transaction
from shared.messaging import inbox
from shared.messaging.copies import Copies
from shared.messaging.handlers import Handlers
from shared.messaging.timers import Due, Timers
from shared.observability import log

handles = Handlers("settlement")
timed = Timers()

# Well below the lease of a timer, so that one process makes the run; what is left is due again at once.
_RUN_WITHIN_S = 10.0
COPIES: Copies = {MerchantChanged: "merchants", PayoutAccountChanged: "payout_accounts", StaffChanged: "staff"}


@handles(MerchantChanged)
async def keep_merchant(event: MerchantChanged, db: Database) -> None:
    """Keep who may be paid."""
    async with db.transaction() as tx:
        await copies.keep_merchant(tx, event)


@handles(PayoutAccountChanged)
async def keep_payout_account(event: PayoutAccountChanged, db: Database) -> None:
    """Keep where a merchant's money goes."""
    async with db.transaction() as tx:
        await copies.keep_payout_account(tx, event)


@handles(StaffChanged)
async def keep_staff(event: StaffChanged, db: Database) -> None:
    """Keep who may read a merchant's statements, and who works for the platform."""
    async with db.transaction() as tx:
        await keep_staff_copy(tx, event)


@handles(OrderPaid)
async def record_order(event: OrderPaid, db: Database) -> None:
    """The money of an order is held, use by use."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.record_order"):
            return
        await record.record_order(tx, event)


@handles(CertificateUsed)
async def record_use(event: CertificateUsed, db: Database) -> None:
    """A certificate was used."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.record_use"):
            return
        await record.record_use(tx, event)


@handles(UseReversed)
async def record_reversed_use(event: UseReversed, db: Database) -> None:
    """A use was undone."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.record_reversed_use"):
            return
        await record.record_reversed_use(tx, event)


@handles(UseFinal)
async def finalise_use(event: UseFinal, db: Database) -> None:
    """A use can no longer be reversed: its merchant has earned it."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.finalise_use"):
            return
        await record.finalise_use(tx, event)


@handles(ParcelReceived)
async def finalise_parcel(event: ParcelReceived, db: Database) -> None:
    """Goods were received: their merchant has earned them."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.finalise_parcel"):
            return
        await record.finalise_parcel(tx, event)


@handles(RefundSucceeded)
async def record_refund(event: RefundSucceeded, db: Database) -> None:
    """A buyer has money back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.record_refund"):
            return
        await record.record_refund(tx, event)


@handles(UseDisputed)
async def hold_disputed(event: UseDisputed, db: Database) -> None:
    """What a buyer disputes is not paid out until the review ends."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.hold_disputed"):
            return
        await disputes.hold(tx, event.refund_id, event.order_id, event.unit_ids)


@handles(GoodsDisputed)
async def hold_disputed_goods(event: GoodsDisputed, db: Database) -> None:
    """What a buyer disputes is not paid out until the review ends."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.hold_disputed_goods"):
            return
        await disputes.hold(tx, event.refund_id, event.order_id, event.unit_ids)


@handles(DisputeClosed)
async def close_dispute(event: DisputeClosed, db: Database) -> None:
    """The review ended without money going back."""
    async with db.transaction() as tx:
        if await inbox.is_duplicate(tx, event, "settlement.close_dispute"):
            return
        await disputes.close(tx, event.refund_id, event.order_id, event.unit_ids)


async def make_ledger_months(db: Database) -> None:
    """At start: the ledger has a place for every line of the year to come."""
    async with db.transaction() as tx:
        await months.make_ahead(tx)


@timed.acts_inside(months.LEDGER_MONTHS)
async def make_more_months(tx: Transaction, _: list[Due]) -> None:
    """Every week, a month more if one is due."""
    await months.make_ahead(tx)


async def make_up_for_missed_runs(db: Database, world: World) -> None:
    """At start: set the daily run, due at once if today's has not been made. One run claims whatever was missed."""
    async with db.transaction() as tx:
        await run.schedule_next_run(tx, world.terms)


@timed.acts_outside(run.DAILY_RUN)
async def run_today(due: Due, db: Database, world: World) -> None:
    """The daily payout run, a slice of it at a time. It calls nobody; it acts outside because each batch commits by
    itself, and because that is where the terms are."""
    log.info("daily_run_started", due_at=due.due_at.isoformat())
    await run.run_today(db, world, _RUN_WITHIN_S)


@timed.acts_outside(SEND_INSTRUCTION)
async def send_instruction(due: Due, db: Database, world: World) -> None:
    """Order one payment and record the answer. After a crash in between the same number is sent again: it pays once."""
    async with db.transaction() as tx:
        instruction = await pay.begin_sending(tx, UUID(due.key), world.terms.transfer_min_fen)
    if instruction is None:
        return
    answer = await world.rails[instruction.rail].pay(instruction)
    async with db.transaction() as tx:
        await pay.record_answer(tx, instruction, answer, world.terms)
