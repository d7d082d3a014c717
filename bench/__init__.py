"""Made-up contacts, and how long Rollcall takes among many of them."""
