"""Checkout's rules: what may be sold to whom, what a unit is worth, and the states of orders, payments and refunds."""
