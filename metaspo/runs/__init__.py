"""A run from outside: configured, planned, started, resumed, branched, served."""
