"""Rows of data: files read as they lie, and the fields of a row as text."""
