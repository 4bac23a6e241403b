"""Owns orders, their stock, payments through Alipay, and refunds.
Publishes order_paid, refund_requested, refund_succeeded, refund_abandoned, availability_changed.
Listens to catalog (what can be sold, by whom), redemption and dispatch (issued, used, received, fenced or refused)."""
