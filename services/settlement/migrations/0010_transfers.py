"""Transfers: to whom an instruction goes, sealed, and how much of it pays off what its merchant owes."""

from shared.migrations import apply

revision = "settlement_0010"
down_revision = "settlement_0009"
branch_labels = None
depends_on = None

_TRANSFERS = """
alter table instructions
    add column offset_fen bigint not null default 0,
    add column sealed_payee text,
    add column payee_name text,
    add constraint offset_is_of_a_transfer_on_its_way check (offset_fen = 0 or
        offset_fen between 1 and gross_fen - fee_fen and rail = 'TRANSFER' and state in ('SENT', 'UNKNOWN', 'PAID'));
create index paying_off on instructions (merchant_id) where offset_fen > 0;
"""


def upgrade() -> None:
    """Add the columns."""
    apply(_TRANSFERS)
