"""All of redemption's SQL: one function per question or change."""
