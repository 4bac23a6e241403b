"""The outside world of dispatch: one port, and an adapter per carrier that touches its own files only."""
