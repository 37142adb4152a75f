"""Base and optimizer models behind one ledger."""
