"""HTTP in: parse, one transaction, one use case, answer after the commit."""
