"""Traces of LangSmith: one a round, sent beside the work."""
