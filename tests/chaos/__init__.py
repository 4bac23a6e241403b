"""Chaos: complete lifecycles through the public APIs while everything is killed; afterwards the auditor decides."""
