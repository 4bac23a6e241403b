"""Invitations in the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog.domain.staff import Invitation, Offer
from shared.contracts.catalog import StaffRole
from shared.database import Row, Transaction

# An owner who was dismissed shall not come back through a link of their own.
_INVITER_OWNS = """exists (select from staff s where s.merchant_id = i.merchant_id and s.subject = i.invited_by
    and s.role = 'OWNER' and s.active)"""
_COLUMNS = f"""i.invitation_id, i.merchant_id, i.role, i.store_ids, i.note, i.invited_by, i.invited_at, i.expires_at,
{_INVITER_OWNS} as inviter_owns, i.accepted_by, i.staff_id, i.revoked_at"""


@dataclass(frozen=True, slots=True)
class OfferNames:
    """What an invited person reads: the names of the merchant and of the stores."""

    merchant: str
    stores: tuple[str, ...]


def _invitation(row: Row) -> Invitation:
    return Invitation(
        invitation_id=row["invitation_id"],
        offer=Offer(row["merchant_id"], StaffRole(row["role"]), tuple(row["store_ids"]), row["note"]),
        invited_by=row["invited_by"],
        invited_at=row["invited_at"],
        expires_at=row["expires_at"],
        inviter_owns=row["inviter_owns"],
        accepted_by=row["accepted_by"],
        staff_id=row["staff_id"],
        revoked_at=row["revoked_at"],
    )


def _one(row: Row | None) -> Invitation | None:
    return _invitation(row) if row else None


async def add_invitation(
    tx: Transaction, invitation_id: UUID, offer: Offer, lookup: bytes, inviter: str, expires_at: datetime
) -> Invitation | None:
    """A new invitation, or None when the id is in use."""
    return _one(
        await tx.row(
            f"""insert into staff_invitations as i (invitation_id, merchant_id, role, store_ids, note, token_lookup,
                    invited_by, invited_at, expires_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                on conflict (invitation_id) do nothing returning {_COLUMNS}""",
            invitation_id,
            offer.merchant_id,
            offer.role.value,
            list(offer.store_ids),
            offer.note,
            lookup,
            inviter,
            tx.now,
            expires_at,
        )
    )


async def revoke_invitation(tx: Transaction, merchant_id: UUID, invitation_id: UUID, owner: str) -> Invitation | None:
    """An invitation that nobody accepted is withdrawn; None when it was accepted or withdrawn, or is not there."""
    return _one(
        await tx.row(
            f"""update staff_invitations i set revoked_by = $3, revoked_at = $4
                where invitation_id = $2 and merchant_id = $1 and accepted_at is null and revoked_at is null
                returning {_COLUMNS}""",
            merchant_id,
            invitation_id,
            owner,
            tx.now,
        )
    )


async def accept_invitation(tx: Transaction, invitation_id: UUID, subject: str, staff_id: UUID) -> Invitation | None:
    """An open invitation is accepted, by one person ever; None when it is not open now."""
    return _one(
        await tx.row(
            f"""update staff_invitations i set accepted_by = $2, accepted_at = $3, staff_id = $4
                where invitation_id = $1 and accepted_at is null and revoked_at is null and expires_at > $3
                  and {_INVITER_OWNS}
                returning {_COLUMNS}""",
            invitation_id,
            subject,
            tx.now,
            staff_id,
        )
    )


async def invitation(tx: Transaction, invitation_id: UUID) -> Invitation | None:
    """One invitation."""
    return _one(await tx.row(f"select {_COLUMNS} from staff_invitations i where invitation_id = $1", invitation_id))


async def invitation_by_token(tx: Transaction, lookup: bytes) -> Invitation | None:
    """The invitation whose token has this keyed hash."""
    return _one(await tx.row(f"select {_COLUMNS} from staff_invitations i where token_lookup = $1", lookup))


async def invitations(
    tx: Transaction, merchant_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[Invitation]:
    """A merchant's invitations after a position, newest first."""
    moment, invitation_id = after or (None, None)
    rows = await tx.fetch(
        f"""select {_COLUMNS} from staff_invitations i
            where merchant_id = $1
              and ($2::timestamptz is null or (invited_at, invitation_id) < ($2, $3::uuid))
            order by invited_at desc, invitation_id desc limit $4""",
        merchant_id,
        moment,
        invitation_id,
        limit,
    )
    return [_invitation(row) for row in rows]


async def count_open_invitations(tx: Transaction, merchant_id: UUID) -> int:
    """How many invitations of a merchant could be accepted now."""
    count: int = await tx.value(
        """select count(*) from staff_invitations
           where merchant_id = $1 and accepted_at is null and revoked_at is null and expires_at > $2""",
        merchant_id,
        tx.now,
    )
    return count


async def offer_names(tx: Transaction, offer: Offer) -> OfferNames:
    """How merchant and stores of an offer are called."""
    row = await tx.row(
        """select m.name, array(select s.name from stores s where s.store_id = any($2::uuid[])
                                order by s.name, s.store_id) as stores
           from merchants m where m.merchant_id = $1""",
        offer.merchant_id,
        list(offer.store_ids),
    )
    assert row is not None
    return OfferNames(row["name"], tuple(row["stores"]))
