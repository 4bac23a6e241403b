"""The rules of the outside world: protocols, states and sums; no I/O and no clock."""
