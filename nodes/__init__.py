"""The graphs' nodes, one a file."""
