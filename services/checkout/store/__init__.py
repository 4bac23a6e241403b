"""All of checkout's SQL: one function per question or change."""
