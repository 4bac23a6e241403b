"""Owns merchants, stores, staff, payout accounts, deals with their versions, and the videos that show them.
Publishes merchant_, store_, staff_, payout_account_ and deal_changed, deal_version_published, store_closed.
Listens to checkout (availability for badge and feed) and settlement (a failed payout re-opens the account step)."""
