"""Runs told to MLflow while they are at work, at no cost to them."""
