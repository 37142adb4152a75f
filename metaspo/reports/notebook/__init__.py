"""Where somebody works in Python: results show themselves, give data frames, and tell of work as it goes on."""
