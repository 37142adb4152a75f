"""What a run achieved, read from the store."""
