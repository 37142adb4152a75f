"""What the nodes of a run work on: the problem, the state, opened resources, the lease, scores."""
