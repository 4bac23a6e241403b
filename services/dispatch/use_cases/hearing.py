"""Webhooks: kept as they came before anything else, then verified, and believed as far as their sender is proven."""

import base64
import hashlib
from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.refusals import NoSuchWebhook
from services.dispatch.gateways.port import Carrier, ProviderRef, RawRequest, RawResponse, Result, Trust, WebhookBatch
from services.dispatch.store import attempts, parcels, webhooks
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.following import QUERY, WEBHOOK, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import OWNER, DispatchWorld, token_hash
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers
from shared.observability import log

# What an unproven sender may say without being checked: nothing of it moves the parcel.
_HARMLESS = frozenset({None, AttemptState.SEARCHING, AttemptState.ASSIGNED, AttemptState.AT_PICKUP})


async def keep_webhook(
    tx: Transaction, world: DispatchWorld, provider: str, token: str, raw: RawRequest
) -> Carrier:  # fmt: skip
    """Store a webhook for the attempt whose secret address it came to, and have it applied. Raises NoSuchWebhook for
    an address that is nobody's. The same bytes again are the same webhook."""
    attempt = await attempts.find_by_token(tx, provider, token_hash(token))
    if attempt is None:
        raise NoSuchWebhook
    webhook_id = new_id()
    sealed = world.seals.seal(OWNER, base64.b64encode(raw.body).decode())
    body_hash = hashlib.sha256(raw.body).digest()
    if await webhooks.keep(tx, webhook_id, attempt.attempt_id, provider, body_hash, sealed, raw.content_type[:200]):
        await timers.schedule(tx, clockwork.APPLY_WEBHOOK, webhook_id, tx.now)
    return world.carriers.of(attempt.provider, attempt.account)


def acknowledgement(carrier: Carrier, raw: RawRequest) -> RawResponse:
    """What the carrier wants to hear: its own yes, or its own no to a signature that does not hold."""
    return carrier.webhook(raw).ack


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
        weak = self.batch.trust is Trust.WEAK
        return weak and any(snapshot.state not in _HARMLESS for snapshot in self.batch.snapshots)

    async def ask(self) -> Result[Snapshot]:
        """What the carrier itself says."""
        return await self.carrier.query(self.ref)


async def read_webhook(tx: Transaction, world: DispatchWorld, webhook_id: UUID) -> Heard | None:
    """Verify a stored webhook; None if it is refused, or was applied before."""
    stored = await webhooks.find(tx, webhook_id)
    attempt = await attempts.find_attempt(tx, stored.attempt_id) if stored else None
    parcel = await parcels.find_parcel(tx, attempt.parcel_id) if attempt else None
    if stored is None or attempt is None or parcel is None:
        await timers.cancel(tx, clockwork.APPLY_WEBHOOK, webhook_id)
        return None
    carrier = world.carriers.of(attempt.provider, attempt.account)
    raw = RawRequest(base64.b64decode(world.seals.open(stored.sealed_body)), stored.content_type)
    batch = carrier.webhook(raw)
    if batch.trust is Trust.FAILED or batch.attempt_key not in (None, attempt.key):
        log.warning("webhook_refused", provider=attempt.provider, webhook_id=str(webhook_id))
        await _finish(tx, webhook_id, "REFUSED")
        return None
    return Heard(attempt.attempt_id, batch, carrier, reference(world, parcel, attempt))


async def apply_webhook(tx: Transaction, world: DispatchWorld, webhook_id: UUID, heard: Heard) -> None:
    """Let the attempt follow what a webhook says by itself."""
    for snapshot in heard.batch.snapshots:
        await take_report(tx, world, heard.attempt_id, snapshot, WEBHOOK)
    await _finish(tx, webhook_id, "APPLIED")


async def apply_answer(
    tx: Transaction, world: DispatchWorld, webhook_id: UUID, heard: Heard, answer: Result[Snapshot]
) -> bool:
    """Let the attempt follow what the carrier itself says; False if it gave no answer, so that asking goes on."""
    if answer.value is None:
        return False
    await take_report(tx, world, heard.attempt_id, answer.value, QUERY, asked=True)
    await _finish(tx, webhook_id, "APPLIED")
    return True


async def _finish(tx: Transaction, webhook_id: UUID, state: str) -> None:
    await webhooks.finish(tx, webhook_id, state)
    await timers.cancel(tx, clockwork.APPLY_WEBHOOK, webhook_id)
