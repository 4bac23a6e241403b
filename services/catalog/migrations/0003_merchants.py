"""Onboarding as a checklist: evidence and fee of the verification, the opening, suspension, support."""

revision = "catalog_0003"
down_revision = "catalog_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
