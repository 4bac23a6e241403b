"""What redemption can do: one function per verb, in the caller's transaction."""

from services.redemption.use_cases.by_phone import ByPhone, list_by_phone
from services.redemption.use_cases.certificates import certificates_of_buyer, issue_certificates
from services.redemption.use_cases.code_pools import hand_out, import_codes, make_batch, pool_state
from services.redemption.use_cases.disputes import close_dispute
from services.redemption.use_cases.expiry import expire_next, look_at_once
from services.redemption.use_cases.external_uses import ReportedUse, Signed, report_use, require_signature
from services.redemption.use_cases.housekeeping import purge_refusals, watch_refusals
from services.redemption.use_cases.issuing import ask as ask_issuer
from services.redemption.use_cases.issuing import codes_from_issuer, issuer_of, set_issuer, take_back
from services.redemption.use_cases.issuing import void as void_at_issuer
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
from services.redemption.use_cases.reminders import remind_next
from services.redemption.use_cases.reminders import watch as watch_reminders
from services.redemption.use_cases.reverse import reverse
from services.redemption.use_cases.third_party import fail_without_code, look_for_codes

__all__ = [
    "ByPhone",
    "Listed",
    "Preparation",
    "Presented",
    "ReportedUse",
    "Signed",
    "ask_issuer",
    "certificates_of_buyer",
    "close_dispute",
    "close_refund",
    "codes_from_issuer",
    "expire_next",
    "fail_without_code",
    "fence_refund",
    "finalise_uses",
    "hand_out",
    "import_codes",
    "issue_certificates",
    "issuer_of",
    "lift_fence",
    "list_by_phone",
    "look_at_once",
    "look_for_codes",
    "make_batch",
    "pool_state",
    "prepare",
    "purge_refusals",
    "recall_at_closed_store",
    "recall_next",
    "recall_of_suspended_merchant",
    "redeem",
    "redeem_at_once",
    "redemption_for",
    "redemptions_of_store",
    "remind_next",
    "report_use",
    "require_signature",
    "reverse",
    "set_issuer",
    "settle_uses",
    "take_back",
    "void_at_issuer",
    "watch_refusals",
    "watch_reminders",
]
