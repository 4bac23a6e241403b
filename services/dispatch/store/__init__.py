"""All SQL of dispatch: one function per question or change."""
