"""Rows by many keys: one query takes only so many."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlite_utils import Database

CHUNK = 500
"""Keys in one query."""


def by_keys(db: Database, query: str, keys: Sequence[str], *before: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query for any number of keys, which go where it says {keys}; `before` are parameters before them."""
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        yield from db.execute(query.replace("{keys}", f"({', '.join('?' * len(chunk))})"), [*before, *chunk])
