"""All of settlement's SQL, one module per subject and one function per question or change."""
