"""`scripts/bench peers`: Rollcall beside what one would pick instead."""
