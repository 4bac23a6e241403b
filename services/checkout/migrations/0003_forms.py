"""Forms of deals: what an order freezes of them, and which uses of a times-card have been made."""

from shared.migrations import apply

revision = "checkout_0003"
down_revision = "checkout_0002"
branch_labels = None
depends_on = None

# A row without a form is from before forms existed: SET or GOODS, by its kind.
_FROZEN = """
alter table {table}
    add column form text
        check (form in ('SET', 'CASH_VOUCHER', 'TIMES_CARD', 'GOODS', 'THIRD_PARTY_CODE')),
    add column cash jsonb,
    add column code_source text check (code_source in ('POOL', 'CALLBACK')),
    add column refund_policy text not null default 'ANY_TIME' check (refund_policy in ('ANY_TIME', 'ON_EXPIRY'));
"""

_USES = """
alter table deal_versions add column uses_per_unit int not null default 1 check (uses_per_unit between 1 and 100);
alter table units add column used_nos int[] not null default '{}';
"""


def upgrade() -> None:
    """Add the columns."""
    for script in (_FROZEN.format(table="deal_versions"), _FROZEN.format(table="orders"), _USES):
        apply(script)
