"""The other ways to pay with Alipay."""

from shared.migrations import apply

revision = "checkout_0007"
down_revision = "checkout_0006"
branch_labels = None
depends_on = None


_CHANNELS = """
alter table payment_attempts add column qr_code text,
    add check (channel in ('ALIPAY_WAP', 'ALIPAY_APP', 'ALIPAY_PAGE', 'ALIPAY_QR')),
    add check (qr_code is null or channel = 'ALIPAY_QR');
"""


def upgrade() -> None:
    """A code to scan comes from the channel and is kept, so that a repeated request shows the same one."""
    apply(_CHANNELS)
