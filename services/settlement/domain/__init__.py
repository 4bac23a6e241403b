"""The rules of settlement: what may become of a use, what is posted for it, and what a payout costs."""
