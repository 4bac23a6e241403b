"""Settlement owns the ledger, every use's money and the payouts; nobody else decides what a merchant is paid.
Publishes payout_paid, payout_failed.
Listens to order_paid, refund_succeeded, certificate_used, use_final, parcel_received, and catalog's copies."""
