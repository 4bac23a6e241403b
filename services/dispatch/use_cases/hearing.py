"""Webhooks: kept as they came before anything else, then verified, and believed as far as their sender is proven."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.refusals import NoSuchWebhook
from services.dispatch.gateways.port import Carrier, ProviderRef, RawRequest, RawResponse, Result, Trust, WebhookBatch
from services.dispatch.store import attempts, parcels, webhooks
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.webhooks import Arrived, StoredWebhook
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import QUERY, WEBHOOK, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import OWNER, DispatchWorld, token_hash
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers
from shared.observability import WEBHOOKS, log

# What an unproven sender may say without being checked: nothing of it moves the parcel.
_MOST_HEADERS = 60
_HARMLESS = frozenset({None, AttemptState.SEARCHING, AttemptState.ASSIGNED, AttemptState.AT_PICKUP})


async def keep_webhook(
    tx: Transaction, world: DispatchWorld, provider: str, token: str, raw: RawRequest
) -> RawResponse:  # fmt: skip
    """Store a webhook as it came, then find whom it is about and have it applied. Returns what the carrier wants to
    hear: its own yes, or its own no. Raises NoSuchWebhook for an address that is nobody's. The same bytes again are the
    same webhook."""
    attempt = await attempts.find_by_token(tx, provider, token_hash(token))
    carrier = world.carriers.of(provider, attempt.account) if attempt else world.carriers.at_address(provider, token)
    if carrier is None:
        WEBHOOKS.labels(provider="unknown", outcome="no_such_address").inc()
        raise NoSuchWebhook
    webhook_id = new_id()
    is_new = await webhooks.keep(tx, _sealed(world, webhook_id, provider, token, raw))
    batch = carrier.webhook(raw)
    if attempt is None and batch.trust is not Trust.FAILED:
        attempt = await _attempt_of(tx, carrier, batch)
    if attempt is not None and is_new and await webhooks.belongs_to(tx, webhook_id, attempt.attempt_id):
        await timers.schedule(tx, clockwork.APPLY_WEBHOOK, webhook_id, tx.now)
    WEBHOOKS.labels(provider=provider, outcome=_outcome(batch, attempt, is_new=is_new)).inc()
    return batch.ack


def _sealed(world: DispatchWorld, webhook_id: UUID, provider: str, token: str, raw: RawRequest) -> Arrived:
    envelope = json.dumps({"query": raw.query.decode("latin-1"), "headers": raw.headers[:_MOST_HEADERS]})
    return Arrived(
        webhook_id=webhook_id,
        provider=provider,
        address_hash=token_hash(token),
        body_hash=hashlib.sha256(raw.query + b"\n" + raw.body if raw.query else raw.body).digest(),
        sealed_body=world.seals.seal(OWNER, base64.b64encode(raw.body).decode()),
        sealed_envelope=world.seals.seal(OWNER, envelope),
        content_type=raw.content_type[:200],
    )


def _opened(world: DispatchWorld, stored: StoredWebhook) -> RawRequest:
    """The request as it came."""
    body = base64.b64decode(world.seals.open(stored.sealed_body))
    if stored.sealed_envelope is None:
        return RawRequest(body, stored.content_type)
    envelope = json.loads(world.seals.open(stored.sealed_envelope))
    headers = tuple((name, value) for name, value in envelope["headers"])
    return RawRequest(body, stored.content_type, envelope["query"].encode("latin-1"), headers)


async def _attempt_of(tx: Transaction, carrier: Carrier, batch: WebhookBatch) -> Attempt | None:
    """Of a webhook that came to an account's own address: the attempt that it names, if it is this account's."""
    try:
        attempt = await attempts.find_attempt(tx, UUID(hex=batch.attempt_key or ""))
    except ValueError:
        return None
    if attempt is None or (attempt.provider, attempt.account) != (carrier.provider, carrier.account):
        return None
    return attempt


def _outcome(batch: WebhookBatch, attempt: Attempt | None, *, is_new: bool) -> str:
    if batch.trust is Trust.FAILED:
        return "failed"
    if attempt is None:
        return "no_such_attempt"
    return "kept" if is_new else "repeated"


@dataclass(frozen=True, slots=True)
class Heard:
    """A stored webhook, read. `must_ask`: the carrier itself has to confirm it."""

    attempt_id: UUID
    batch: WebhookBatch
    carrier: Carrier
    ref: ProviderRef

    @property
    def must_ask(self) -> bool:
        if self.batch.ask:
            return True
        return self.batch.trust is Trust.WEAK and any(map(_matters, self.batch.snapshots))

    async def ask(self) -> Result[Snapshot]:
        """What the carrier itself says."""
        return await self.carrier.query(self.ref)


def _matters(snapshot: Snapshot) -> bool:
    told_fee = snapshot.fee_fen is not None or snapshot.cancel_fee_fen is not None
    return snapshot.state not in _HARMLESS or snapshot.picked_up or told_fee


def event_key(snapshot: Snapshot) -> bytes | None:
    """By which an event is known again in another webhook; None where the carrier tells no time, so that only the same
    bytes are surely the same event."""
    if snapshot.occurred_at is None:
        return None
    rider = f"{snapshot.rider.name}/{snapshot.rider.phone}" if snapshot.rider else ""
    told = (snapshot.raw_status, snapshot.occurred_at.isoformat(), rider, snapshot.fee_fen, snapshot.cancel_fee_fen)
    return hashlib.sha256(repr((*told, snapshot.provider_id, snapshot.waybill)).encode()).digest()


async def read_webhook(tx: Transaction, world: DispatchWorld, webhook_id: UUID) -> Heard | None:
    """Verify a stored webhook; None if it is refused, or was applied before."""
    stored = await webhooks.find(tx, webhook_id)
    attempt = await attempts.find_attempt(tx, stored.attempt_id) if stored else None
    parcel = await parcels.find_parcel(tx, attempt.parcel_id) if attempt else None
    if stored is None or attempt is None or parcel is None:
        await timers.cancel(tx, clockwork.APPLY_WEBHOOK, webhook_id)
        return None
    carrier = world.carriers.of(attempt.provider, attempt.account)
    batch = carrier.webhook(_opened(world, stored))
    if batch.trust is Trust.FAILED or batch.attempt_key not in (None, attempt.key):
        log.warning("webhook_refused", provider=attempt.provider, webhook_id=str(webhook_id))
        await _finish(tx, webhook_id, "REFUSED")
        return None
    return Heard(attempt.attempt_id, batch, carrier, reference(world, parcel, attempt))


async def apply_webhook(tx: Transaction, world: DispatchWorld, webhook_id: UUID, heard: Heard) -> None:
    """Let the attempt follow what a webhook says by itself."""
    for snapshot in heard.batch.snapshots:
        key = event_key(snapshot)
        if key is not None and not await webhooks.note_event(tx, heard.attempt_id, key):
            continue
        await take_report(tx, world, heard.attempt_id, snapshot, WEBHOOK)
    await _finish(tx, webhook_id, "APPLIED")


async def apply_answer(
    tx: Transaction, world: DispatchWorld, webhook_id: UUID, heard: Heard, answer: Result[Snapshot]
) -> bool:
    """Let the attempt follow what the carrier itself says; False if it gave no answer, so that asking goes on."""
    if answer.value is None:
        await leave_out_by(tx, heard.carrier, heard.attempt_id, answer)
        return False
    # Who cancelled is told only by the callback; that it is cancelled is what the carrier confirmed.
    told = next((one for one in heard.batch.snapshots if one.cancelled_by or one.cancel_words), None)
    confirmed = answer.value
    if told is not None:
        confirmed = replace(
            confirmed,
            cancelled_by=confirmed.cancelled_by or told.cancelled_by,
            cancel_words=confirmed.cancel_words or told.cancel_words,
        )
    await take_report(tx, world, heard.attempt_id, confirmed, QUERY, asked=True)
    await _finish(tx, webhook_id, "APPLIED")
    return True


async def _finish(tx: Transaction, webhook_id: UUID, state: str) -> None:
    await webhooks.finish(tx, webhook_id, state)
    await timers.cancel(tx, clockwork.APPLY_WEBHOOK, webhook_id)
