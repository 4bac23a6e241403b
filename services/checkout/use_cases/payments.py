"""Payment attempts: opened one at a time, and settled by what the channel says, whichever way it says it."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.orders import PAID_STATES, Order, OrderState
from services.checkout.domain.payments import (
    CODE_PATIENCE,
    LIVE,
    Attempt,
    AttemptState,
    Channel,
    CodeAnswer,
    IncidentKind,
    Stray,
    Trade,
    TradeState,
    ask_for_code_again,
    next_question,
)
from services.checkout.domain.refusals import IncidentNotFound, MerchantCannotSell, OrderNotFound, OrderNotPayable
from services.checkout.domain.timeline import What
from services.checkout.store import orders, payments, stock
from services.checkout.use_cases import mass_refunds, refunds, schedule
from shared.contracts.checkout import DeliveryRequest, OrderPaid, Unit
from shared.database import Transaction
from shared.errors import IdTaken
from shared.messaging import outbox, timers
from shared.observability import log
from shared.sealed import Seals


async def open_attempt(
    tx: Transaction, attempt_id: UUID, order_id: UUID, buyer: str, channel: Channel
) -> tuple[Attempt, Order]:
    """Open an attempt to pay the order, or return the one with this id.

    An earlier attempt that is still live is returned instead, now CLOSING: it has to be closed at the channel before
    another can be opened.
    """
    order = await orders.lock_order(tx, order_id)
    if order is None or order.buyer != buyer:
        raise OrderNotFound
    known = await payments.find_attempt(tx, attempt_id)
    if known is not None:
        if known.order_id != order_id or known.channel != channel:
            raise IdTaken
        return known, order
    if order.state is not OrderState.PLACED or order.expires_at <= tx.now:
        raise OrderNotPayable(state=order.state.value)
    live = await payments.live_attempt(tx, order_id)
    if live is not None:
        await _start_closing(tx, [order_id])
        return live, order
    return await _open(tx, attempt_id, order, channel), order


async def _open(tx: Transaction, attempt_id: UUID, order: Order, channel: Channel) -> Attempt:
    payee = await payments.find_payee(tx, order.merchant_id)
    if payee is None:
        raise MerchantCannotSell
    attempt = Attempt(
        attempt_id=attempt_id,
        order_id=order.order_id,
        channel=channel,
        amount_fen=order.total_fen,
        payee=payee,
        state=AttemptState.OPEN,
        opened_at=tx.now,
        expires_at=order.expires_at,
        trade_no=None,
        captured_fen=None,
        asked=0,
    )
    await payments.add_attempt(tx, attempt)
    await schedule.ask_channel(tx, attempt_id, next_question(attempt, tx.now))
    if channel is Channel.ALIPAY_QR:
        # Whoever opens the attempt asks at once; this is for the case that they die or get no answer.
        await schedule.fetch_code(tx, attempt_id, tx.now + CODE_PATIENCE)
    return attempt


async def start_fetching(tx: Transaction, attempt_id: UUID) -> tuple[Attempt, Order] | None:
    """The attempt for which a code is to be asked; None if it has one, or needs none any more."""
    attempt = await payments.find_attempt(tx, attempt_id)
    if attempt is None or not attempt.lacks_code(tx.now):
        await timers.cancel(tx, schedule.FETCH_CODE, attempt_id)
        return None
    order = await orders.find_order(tx, attempt.order_id)
    assert order is not None
    return attempt, order


async def record_code(tx: Transaction, attempt: Attempt, answer: CodeAnswer) -> None:
    """Take in what the channel said about a code. A refusal closes the attempt, by the channel's word as always;
    without an answer the same number is asked about again."""
    if answer.code is None and answer.refusal is None:
        await schedule.fetch_code(tx, attempt.attempt_id, ask_for_code_again(attempt, tx.now))
        return
    await timers.cancel(tx, schedule.FETCH_CODE, attempt.attempt_id)
    if answer.code is not None:
        await payments.record_code(tx, attempt.attempt_id, answer.code)
        return
    log.warning("payment_not_offered", out_trade_no=attempt.out_trade_no, code=answer.refusal)
    await orders.lock_order(tx, attempt.order_id)
    live = await payments.live_attempt(tx, attempt.order_id)
    # Meanwhile it may have given way to another, which this answer is not about.
    if live is not None and live.attempt_id == attempt.attempt_id:
        await _start_closing(tx, [attempt.order_id])


async def _start_closing(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    for attempt_id in await payments.start_closing(tx, order_ids):
        await schedule.ask_channel(tx, attempt_id, tx.now)


async def expire_orders(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Unpaid orders whose time is over: those without a live attempt are closed, the others when the channel has said
    that nothing was paid."""
    expired = await orders.lock_expired(tx, order_ids)
    await _start_closing(tx, expired)
    await schedule.say_availability(tx, await stock.close_unpaid(tx, expired))


async def start_question(tx: Transaction, attempt_id: UUID, *, even_if_closed: bool) -> Attempt | None:
    """The attempt about which the channel is to be asked, CLOSING if its time is over; None if all is said."""
    attempt = await payments.find_attempt(tx, attempt_id)
    if attempt is None or not (attempt.state in LIVE or (even_if_closed and attempt.captured_fen is None)):
        await timers.cancel(tx, schedule.ASK_CHANNEL, attempt_id)
        return None
    if attempt.state is AttemptState.OPEN and attempt.expires_at <= tx.now:
        await payments.start_closing(tx, [attempt.order_id])
    await payments.count_question(tx, attempt_id)
    return await payments.find_attempt(tx, attempt_id)


async def hear(tx: Transaction, seals: Seals, attempt_id: UUID, trade: Trade, evidence: str | None = None) -> None:
    """Take in what the channel says about an attempt: by query, by close or by notify, any number of times and in any
    order. `evidence` is kept, sealed, if an operator has to decide."""
    found = await payments.find_attempt(tx, attempt_id)
    assert found is not None, "the caller looked the attempt up"
    order = await orders.lock_order(tx, found.order_id)
    # Only under the order's lock is the attempt's state the one to decide by.
    attempt = await payments.find_attempt(tx, attempt_id)
    assert order is not None
    assert attempt is not None
    if await payments.has_open_incident(tx, attempt_id):
        await timers.cancel(tx, schedule.ASK_CHANNEL, attempt_id)
        return
    if attempt.captured_fen is not None:
        # Its money is recorded; a copy of the news, or news of our own refund, changes nothing.
        return
    match trade.state:
        case TradeState.PAID if trade.total_fen != attempt.amount_fen:
            await _leave_to_operator(tx, seals, attempt, IncidentKind.AMOUNT_MISMATCH, trade, evidence)
        case TradeState.PAID:
            await _capture(tx, seals, order, attempt, trade)
        case TradeState.PAID_AND_RETURNED:
            await _leave_to_operator(tx, seals, attempt, IncidentKind.REFUNDED_ELSEWHERE, trade, evidence)
            await _close(tx, attempt)
        case TradeState.CLOSED:
            await _close(tx, attempt)
        case TradeState.NOT_THERE if attempt.state is AttemptState.CLOSING:
            await _close(tx, attempt)


async def ask_again_if_unsettled(tx: Transaction, attempt_id: UUID, trade: Trade, *, even_if_closed: bool) -> None:
    """After an answer: as long as the attempt is live (or the answer was none) and nobody else is to decide, the
    channel is asked again."""
    attempt = await payments.find_attempt(tx, attempt_id)
    assert attempt is not None
    unsettled = attempt.state in LIVE or (even_if_closed and trade.state is TradeState.UNKNOWN)
    if unsettled and not await payments.has_open_incident(tx, attempt_id):
        at = next_question(attempt, tx.now)
        await schedule.ask_channel(tx, attempt_id, at, even_if_closed=even_if_closed)
    else:
        await timers.cancel(tx, schedule.ASK_CHANNEL, attempt_id)


async def resolve_incident(tx: Transaction, incident_id: UUID, operator: str, resolution: str) -> None:
    """The operator has cleared the matter with the channel: what it says from now on counts again."""
    attempt_id = await payments.resolve_incident(tx, incident_id, operator, resolution)
    if attempt_id is None:
        raise IncidentNotFound
    await schedule.ask_channel(tx, attempt_id, tx.now, even_if_closed=True)


async def _leave_to_operator(
    tx: Transaction, seals: Seals, attempt: Attempt, kind: IncidentKind, trade: Trade, evidence: str | None
) -> None:
    sealed = seals.seal("checkout", evidence) if evidence else None
    if await payments.open_incident(tx, attempt.attempt_id, kind, trade, sealed):
        log.critical(
            "payment_left_to_operator",
            kind=kind,
            order_id=str(attempt.order_id),
            out_trade_no=attempt.out_trade_no,
            expected_fen=attempt.amount_fen,
            claimed_fen=trade.total_fen,
        )
    await timers.cancel(tx, schedule.ASK_CHANNEL, attempt.attempt_id)


async def _close(tx: Transaction, attempt: Attempt) -> None:
    await payments.close_attempt(tx, attempt.attempt_id)
    await timers.cancel(tx, schedule.ASK_CHANNEL, attempt.attempt_id)
    await schedule.say_availability(tx, await stock.close_unpaid(tx, [attempt.order_id]))


async def _capture(tx: Transaction, seals: Seals, order: Order, attempt: Attempt, trade: Trade) -> None:
    stray = None
    if attempt.state not in LIVE or order.state is not OrderState.PLACED:
        stray = Stray.SECOND if order.state in PAID_STATES else Stray.LATE
    # The channel tells whole seconds, so a quick payment would seem older than its own attempt.
    paid_at = max(trade.paid_at or tx.now, attempt.opened_at)
    if not await payments.capture(tx, attempt.attempt_id, trade, paid_at, stray):
        return
    await timers.cancel(tx, schedule.ASK_CHANNEL, attempt.attempt_id)
    if stray is not None:
        log.warning("stray_money_captured", kind=stray, order_id=str(order.order_id), amount_fen=trade.total_fen)
        await orders.add_entry(tx, order.order_id, What.STRAY_MONEY, tx.now, attempt.attempt_id)
        await refunds.return_stray_money(tx, attempt, stray)
        return
    await orders.mark_paid(tx, order.order_id, paid_at)
    await timers.cancel(tx, schedule.ORDER_EXPIRED, order.order_id)
    await schedule.say_availability(tx, await stock.sell_reserved(tx, order.deal_id, order.quantity))
    units = (await orders.units_of(tx, [order.order_id]))[order.order_id]
    await outbox.emit(
        tx,
        OrderPaid(
            occurred_at=tx.now,
            order_id=order.order_id,
            order_no=order.order_no,
            buyer=order.buyer,
            merchant_id=order.merchant_id,
            deal_id=order.deal_id,
            deal_version=order.deal_version,
            kind=order.kind,
            title=order.title,
            units=tuple(
                Unit(unit_id=unit.unit_id, original_price_fen=unit.original_price_fen, uses=unit.uses) for unit in units
            ),
            paid_fen=trade.total_fen,
            paid_at=paid_at,
            rules=order.rules,
            store_ids=order.store_ids,
            rail=attempt.payee.rail,
            sub_merchant_id=attempt.payee.sub_merchant_id,
            out_trade_no=attempt.out_trade_no,
            trade_no=trade.trade_no,
            delivery=_delivery_request(seals, order),
            form=order.form,
            cash=order.cash,
            code_source=order.code_source,
            source=order.source,
            phone_lookup=order.phone_lookup,
        ),
    )
    await mass_refunds.refund_if_called_off(tx, order)


def _delivery_request(seals: Seals, order: Order) -> DeliveryRequest | None:
    """The address leaves this service only sealed for dispatch."""
    if order.delivery is None:
        return None
    return DeliveryRequest(
        mode=order.delivery.mode,
        fee_fen=order.delivery.fee_fen,
        weight_g=order.delivery.weight_g,
        category=order.delivery.category,
        sealed_address=seals.seal("dispatch", seals.open(order.delivery.sealed_address)),
    )
