"""How an answer is scored, and the scores of splits compared."""
