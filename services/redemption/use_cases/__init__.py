"""What redemption can do: one function per verb, in the caller's transaction."""

from services.redemption.use_cases.certificates import certificates_of_buyer, issue_certificates
from services.redemption.use_cases.disputes import close_dispute
from services.redemption.use_cases.expiry import expire_next, look_at_once
from services.redemption.use_cases.prepare import Listed, Preparation, Presented, prepare
from services.redemption.use_cases.recalls import recall_at_closed_store, recall_next, recall_of_suspended_merchant
from services.redemption.use_cases.redeem import (
    finalise_uses,
    redeem,
    redeem_at_once,
    redemption_for,
    redemptions_of_store,
    settle_uses,
)
from services.redemption.use_cases.refunds import close_refund, fence_refund, lift_fence
from services.redemption.use_cases.reverse import reverse
from services.redemption.use_cases.third_party import fail_without_code

__all__ = [
    "Listed",
    "Preparation",
    "Presented",
    "certificates_of_buyer",
    "close_dispute",
    "close_refund",
    "expire_next",
    "fail_without_code",
    "fence_refund",
    "finalise_uses",
    "issue_certificates",
    "lift_fence",
    "look_at_once",
    "prepare",
    "recall_at_closed_store",
    "recall_next",
    "recall_of_suspended_merchant",
    "redeem",
    "redeem_at_once",
    "redemption_for",
    "redemptions_of_store",
    "reverse",
    "settle_uses",
]
