"""Redemption owns certificates: their codes, who used them where, and which are fenced for a refund.

Says: certificates_issued, certificate_issue_failed, certificate_recalled, certificate_used, use_final, refund_fenced,
refund_refused. Hears: order_paid, refund_requested, refund_succeeded, refund_abandoned, payout_paid, merchant_changed,
merchant_suspended, store_changed, store_closed, staff_changed.
"""
