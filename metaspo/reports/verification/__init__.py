"""What is recorded of runs found again from the replies: outcomes, means, decisions, prompts, lineage."""
