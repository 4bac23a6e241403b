"""The rules of redemption: no I/O, no clock, no await."""
