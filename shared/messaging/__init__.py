"""How events leave and arrive: nothing outside this package declares a queue or decides a retry."""
