"""What the Agent Server loads beside the graphs, and what every request goes through before it comes to them."""
