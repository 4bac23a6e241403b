"""What dispatch reaches beside its database: the carriers, the keys that seal, and the periods that are set."""

import base64
import hashlib
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from services.dispatch.domain.parcels import Policy
from services.dispatch.gateways.carriers import Carriers
from shared.contracts.address import Address
from shared.sealed import CannotOpen, Seals

OWNER = "dispatch"


@dataclass(frozen=True, slots=True)
class DispatchWorld:
    """Handed to routes, message handlers and outside timers."""

    policy: Policy
    seals: Seals
    carriers: Carriers
    callback_base_url: str

    def address(self, sealed: str) -> Address:
        """An address as its parcel carries it. Raises CannotOpen for anything else, without telling what it was."""
        try:
            return Address.model_validate_json(self.seals.open(sealed))
        except ValidationError:
            raise CannotOpen("the sealed text is no address") from None

    def webhook_token(self, attempt_id: UUID) -> str:
        """The unguessable part of an attempt's callback address: the same each time, and derived from a key so that
        the database alone does not give it away."""
        return base64.urlsafe_b64encode(self.seals.lookup(OWNER, f"webhook:{attempt_id}")).decode().rstrip("=")

    def callback_url(self, provider: str, attempt_id: UUID) -> str:
        """Where a carrier reports on one attempt."""
        return f"{self.callback_base_url.rstrip('/')}/webhooks/{provider}/{self.webhook_token(attempt_id)}"


def token_hash(token: str) -> bytes:
    """By which a webhook's attempt is found."""
    return hashlib.sha256(token.encode()).digest()
