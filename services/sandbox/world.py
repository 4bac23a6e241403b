"""What every route is handed: settings, keys, the state file and the two clocks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.sandbox.domain.terms import AlipayTerms
from services.sandbox.domain.times import Instant
from services.sandbox.keys import Keys
from services.sandbox.settings import SandboxSettings
from services.sandbox.store import meta
from services.sandbox.store.database import Database


@dataclass
class World:
    """The sandbox's surroundings; only `offset_s` changes while it runs."""

    settings: SandboxSettings
    keys: Keys
    db: Database
    terms: AlipayTerms
    offset_s: float = field(default=0.0)

    def instant(self) -> Instant:
        real = datetime.now(UTC)
        return Instant(now=real + timedelta(seconds=self.offset_s), real=real)


def build_world(settings: SandboxSettings, keys: Keys) -> World:
    db = Database(settings.state)
    terms = AlipayTerms(
        app_id=settings.alipay_app_id,
        seller_id=settings.alipay_seller_id,
        fee_bp=settings.alipay_fee_bp,
        partial_confirm=settings.alipay_partial_confirm,
        refund_days=settings.alipay_refund_days,
        bill_hour=settings.alipay_bill_hour,
        known_smids=frozenset(settings.smids),
    )
    with db.transaction() as tx:
        offset_s = meta.read_offset_s(tx)
    return World(settings, keys, db, terms, offset_s)
