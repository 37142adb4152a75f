"""The graphs and their edges; nothing else."""
