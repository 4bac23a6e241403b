"""What dispatch can do: one function per verb, in the caller's transaction."""
