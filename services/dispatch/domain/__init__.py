"""The rules of dispatch: frozen values and pure functions; no I/O, no clock, no await."""
