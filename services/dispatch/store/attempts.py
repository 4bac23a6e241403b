"""Delivery attempts in the database, and everything that was reported about them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, CancelledBy, Progress, Snapshot
from services.dispatch.domain.penalties import Bearer
from shared.contracts.catalog import DeliveryMode
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order at one carrier account, under our own key."""

    attempt_id: UUID
    parcel_id: UUID
    number: int
    provider: str
    account: str
    carried_as: DeliveryMode
    state: AttemptState
    watermark: datetime | None
    picked_up: bool
    raw_status: str | None
    provider_id: str | None
    waybill: str | None
    sealed_rider: str | None
    fee_fen: int | None
    cancel_fee_fen: int | None
    fee_state: str
    refusal_code: str | None
    cancel_reason: str | None
    submissions: int
    asked: int
    first_submitted_at: datetime | None
    last_submitted_at: datetime | None
    zombie_since: datetime | None
    created_at: datetime
    quote_token: str | None
    quote_fee_fen: int | None
    quote_expires_at: datetime | None
    zone: str
    hour: int
    assigned_at: datetime | None
    rider_epoch: int
    tip_fen: int
    tip_wanted_fen: int | None
    cancel_terms_fen: int | None
    cancelled_by: CancelledBy | None
    penalty_borne_by: Bearer | None
    rider_subject: str | None
    sealed_position: str | None
    position_at: datetime | None
    request_hash: bytes | None
    fee_asked: int
    fee_given_up_at: datetime | None
    cancel_words: str | None
    sealed_code: str | None

    @property
    def key(self) -> str:
        """The number under which the carrier knows this attempt: 32 letters and digits."""
        return self.attempt_id.hex

    @property
    def progress(self) -> Progress:
        """The part that evidence moves."""
        return Progress(self.state, self.watermark, self.picked_up)


_COLUMNS = """attempt_id, parcel_id, number, provider, account, carried_as, state, watermark, picked_up, raw_status,
  provider_id, waybill, sealed_rider, fee_fen, cancel_fee_fen, fee_state, refusal_code, cancel_reason, submissions,
  asked, first_submitted_at, last_submitted_at, zombie_since, created_at, quote_token, quote_fee_fen, quote_expires_at,
  zone, hour, assigned_at, rider_epoch, tip_fen, tip_wanted_fen, cancel_terms_fen, cancelled_by, penalty_borne_by,
  rider_subject, sealed_position, position_at, request_hash, fee_asked, fee_given_up_at, cancel_words,
  sealed_code"""
_RIDER_LOST = "(state in ('ASSIGNED', 'AT_PICKUP') and $2 = 'SEARCHING')"
_OVER = "$2 in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED')"
_ENDS_CANCELLED = "($2 = 'CANCELLED' and state <> 'CANCELLED')"
_LIVE = "state not in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED')"


def _attempt(row: Row) -> Attempt:
    values = dict(row)
    values["carried_as"] = DeliveryMode(row["carried_as"])
    values["state"] = AttemptState(row["state"])
    values["cancelled_by"] = CancelledBy(row["cancelled_by"]) if row["cancelled_by"] else None
    values["penalty_borne_by"] = Bearer(row["penalty_borne_by"]) if row["penalty_borne_by"] else None
    return Attempt(**values)


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What is frozen before the first byte leaves: the account, the quote, and where and when it is tried."""

    attempt_id: UUID
    parcel_id: UUID
    provider: str
    account: str
    carried_as: DeliveryMode
    state: AttemptState
    token_hash: bytes
    zone: str = ""
    hour: int = 0
    quote_token: str | None = None
    quote_fee_fen: int | None = None
    quote_expires_at: datetime | None = None


async def open_attempt(tx: Transaction, new: NewAttempt) -> Attempt:
    """A new attempt. The database refuses it (UniqueViolationError) while another one of the parcel lives."""
    row = await tx.row(
        f"""insert into attempts (attempt_id, parcel_id, number, provider, account, carried_as, state, token_hash,
              routing, created_at, last_heard_at, zone, hour, quote_token, quote_fee_fen, quote_expires_at)
            select $1, $2, 1 + coalesce(max(number), 0), $3, $4, $5, $6, $7, '{{}}', $8, $8, $9, $10, $11, $12, $13
            from attempts where parcel_id = $2
            returning {_COLUMNS}""",
        new.attempt_id,
        new.parcel_id,
        new.provider,
        new.account,
        new.carried_as.value,
        new.state.value,
        new.token_hash,
        tx.now,
        new.zone,
        new.hour,
        new.quote_token,
        new.quote_fee_fen,
        new.quote_expires_at,
    )
    assert row is not None, "an aggregate without GROUP BY always gives a row"
    return _attempt(row)


async def find_attempt(tx: Transaction, attempt_id: UUID) -> Attempt | None:
    """The attempt as it is, without holding it."""
    row = await tx.row(f"select {_COLUMNS} from attempts where attempt_id = $1", attempt_id)
    return _attempt(row) if row else None


async def lock_attempt(tx: Transaction, attempt_id: UUID) -> Attempt | None:
    """The attempt, held until the transaction ends. Hold its parcel first: everybody locks in that order."""
    row = await tx.row(f"select {_COLUMNS} from attempts where attempt_id = $1 for update", attempt_id)
    return _attempt(row) if row else None


async def find_by_token(tx: Transaction, provider: str, token_hash: bytes) -> Attempt | None:
    """The attempt that a webhook's address belongs to."""
    row = await tx.row(f"select {_COLUMNS} from attempts where token_hash = $1 and provider = $2", token_hash, provider)
    return _attempt(row) if row else None


async def live_attempt(tx: Transaction, parcel_id: UUID) -> Attempt | None:
    """The parcel's one live attempt."""
    row = await tx.row(f"select {_COLUMNS} from attempts where parcel_id = $1 and {_LIVE}", parcel_id)
    return _attempt(row) if row else None


async def list_attempts(tx: Transaction, parcel_id: UUID) -> list[Attempt]:
    """All attempts of a parcel, oldest first."""
    rows = await tx.fetch(f"select {_COLUMNS} from attempts where parcel_id = $1 order by number limit 50", parcel_id)
    return [_attempt(row) for row in rows]


async def latest_attempts(tx: Transaction, parcel_ids: list[UUID]) -> dict[UUID, Attempt]:
    """The newest attempt of each of these parcels."""
    rows = await tx.fetch(
        f"""select distinct on (parcel_id) {_COLUMNS} from attempts where parcel_id = any($1)
            order by parcel_id, number desc""",
        parcel_ids,
    )
    return {row["parcel_id"]: _attempt(row) for row in rows}


async def move(tx: Transaction, attempt_id: UUID, *, before: AttemptState, after: AttemptState) -> bool:
    """One step that we ourselves take; False if the attempt is elsewhere by now."""
    return (
        await tx.execute(
            "update attempts set state = $3 where attempt_id = $1 and state = $2", attempt_id, before.value, after.value
        )
        == 1
    )


async def begin_submission(tx: Transaction, attempt_id: UUID, before: AttemptState, request_hash: bytes) -> bool:
    """CREATED (or UNKNOWN, when the carrier merges repetitions) → SUBMITTING, counted. What is sent first under the
    attempt's key is all that is ever sent under it: False for anything else."""
    return (
        await tx.execute(
            """update attempts set state = 'SUBMITTING', submissions = submissions + 1, last_submitted_at = $3,
             first_submitted_at = coalesce(first_submitted_at, $3), request_hash = $4
           where attempt_id = $1 and state = $2 and coalesce(request_hash, $4) = $4""",
            attempt_id,
            before.value,
            tx.now,
            request_hash,
        )
        == 1
    )


@dataclass(frozen=True, slots=True)
class News:
    """What a report brings besides the state. Only a report of what is `current` says which status and which rider
    that is. A fee that is an `estimate` replaces none: the answer to an order may come after news of it."""

    current: bool
    estimate: bool
    rider: str | None = None
    position: str | None = None
    cancelled_by: CancelledBy | None = None
    borne_by: Bearer | None = None
    cancel_words: str | None = None
    code: str | None = None


async def record(tx: Transaction, attempt_id: UUID, progress: Progress, snapshot: Snapshot, news: News) -> None:
    """Where the attempt is now, with whatever else the report brought; what it did not bring stays. A rider who dropped
    out is forgotten at once, and where a rider is as soon as the attempt is over."""
    await tx.execute(
        f"""update attempts set state = $2, watermark = $3, picked_up = $4, raw_status = coalesce($5, raw_status),
             provider_id = coalesce($6, provider_id), waybill = coalesce($7, waybill),
             rider_epoch = rider_epoch + case when {_RIDER_LOST} then 1 else 0 end,
             sealed_rider = case when {_RIDER_LOST} then $8 else coalesce($8, sealed_rider) end,
             sealed_position = case when {_RIDER_LOST} or {_OVER} then null else coalesce($13, sealed_position) end,
             position_at = case when {_RIDER_LOST} or {_OVER} then null
                                when $13::text is not null then $11 else position_at end,
             assigned_at = case when $2 in ('ASSIGNED', 'AT_PICKUP', 'IN_TRANSIT') then coalesce(assigned_at, $11)
                                else assigned_at end,
             fee_fen = case when $12 then coalesce(fee_fen, $9) else coalesce($9, fee_fen) end,
             cancel_fee_fen = coalesce($10, cancel_fee_fen), last_heard_at = $11,
             cancelled_by = case when {_ENDS_CANCELLED} then $14 else cancelled_by end,
             penalty_borne_by = case when {_ENDS_CANCELLED} then $15 else penalty_borne_by end,
             cancel_words = coalesce(cancel_words, $16),
             sealed_code = case when {_OVER} then null else coalesce($17, sealed_code) end,
             fee_state = case when $10::bigint is not null then 'CONFIRMED'
                              when {_ENDS_CANCELLED} and cancel_terms_fen is not null then 'ESTIMATED'
                              when {_ENDS_CANCELLED} then 'PENDING'
                              when $2 = 'DELIVERED' and fee_fen is not null then 'CONFIRMED'
                              when $9::bigint is not null and fee_state = 'NONE' then 'ESTIMATED'
                              else fee_state end
           where attempt_id = $1""",
        attempt_id,
        progress.state.value,
        progress.watermark,
        progress.picked_up,
        snapshot.raw_status if news.current else None,
        snapshot.provider_id,
        snapshot.waybill,
        news.rider if news.current else None,
        snapshot.fee_fen,
        snapshot.cancel_fee_fen,
        tx.now,
        news.estimate,
        news.position if news.current else None,
        news.cancelled_by.value if news.cancelled_by else None,
        news.borne_by.value if news.borne_by else None,
        news.cancel_words,
        news.code,
    )


async def refuse(tx: Transaction, attempt_id: UUID, code: str) -> None:
    """Why the carrier would not have it."""
    await tx.execute("update attempts set refusal_code = $2 where attempt_id = $1", attempt_id, code)


async def want_cancelled(tx: Transaction, attempt_id: UUID, reason: str) -> None:
    """From now on the attempt is to be taken back; the first reason stands."""
    await tx.execute(
        "update attempts set cancel_reason = coalesce(cancel_reason, $2) where attempt_id = $1", attempt_id, reason
    )


async def keep_after_all(tx: Transaction, attempt_id: UUID) -> None:
    """It is not to be taken back any more."""
    await tx.execute("update attempts set cancel_reason = null where attempt_id = $1", attempt_id)


async def count_asked(tx: Transaction, attempt_id: UUID) -> None:
    """One more question about an outcome that is not known."""
    await tx.execute("update attempts set asked = asked + 1 where attempt_id = $1", attempt_id)


async def forget_riders(tx: Transaction, parcel_id: UUID) -> None:
    """Who carried it is nobody's business once the parcel has arrived."""
    await tx.execute("update attempts set sealed_rider = null where parcel_id = $1", parcel_id)
