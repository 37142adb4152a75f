"""A study on a Ray cluster: a task for each run, and one actor that leads them."""
