"""Owns merchants, stores, staff, payout accounts, deals with their versions, and the videos that show them.
Publishes merchant_changed, store_changed, staff_changed, payout_account_changed, deal_version_published, deal_changed.
Listens to checkout (availability for badge and feed) and settlement (a failed payout re-opens the account step)."""
