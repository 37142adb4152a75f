"""What a person is asked before a prompt counts, and what the answer does."""
