"""Trees that were bootstrapped before: kept, found by what shaped them, unpacked for the next."""
