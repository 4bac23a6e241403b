"""What an attribution token names, in the database."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.attribution import SourceKind
from shared.database import Transaction

_OWNERS = {
    SourceKind.VIDEO: "select merchant_id, null as sharer from videos where video_id = $1",
    SourceKind.LIVESTREAM: "select merchant_id, null as sharer from livestreams where livestream_id = $1",
    SourceKind.SHARE: """select d.merchant_id, s.sharer from shares s join deals d on d.deal_id = s.deal_id
        where s.share_id = $1""",
}


@dataclass(frozen=True, slots=True)
class Credited:
    """Whose video or livestream it was, or whose deal was shared, and who shared it."""

    merchant_id: UUID
    sharer: str | None


async def credited(tx: Transaction, kind: SourceKind, content_id: UUID) -> Credited | None:
    """Who is behind a video, a livestream or a share."""
    row = await tx.row(_OWNERS[kind], content_id)
    return Credited(row["merchant_id"], row["sharer"]) if row else None
