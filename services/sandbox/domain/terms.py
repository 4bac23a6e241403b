"""What the platform has agreed with Alipay: identities, fee and capabilities."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlipayTerms:
    app_id: str
    seller_id: str
    fee_bp: int
    partial_confirm: bool
    refund_days: int
    bill_hour: int
    known_smids: frozenset[str]
