"""One SQLite file: runs, prompts, evaluations, calls, checkpoints."""
