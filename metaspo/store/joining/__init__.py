"""Stores joined: rows of one file into another, in one transaction, the same row twice being one."""
