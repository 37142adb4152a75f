"""Several processes as one: calls, claims, budgets, limits and pauses of a study, over a line of any kind."""
