"""All SQL of the sandbox: one SQLite file, one module per subject."""
