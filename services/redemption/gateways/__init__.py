"""The outside world of redemption: the systems in which merchants make their own codes."""
