"""Where a store is when nobody says so."""

import os


def default_store() -> str:
    """The store that is used where none is named: the environment variable METASPO_STORE, or metaspo.db right here."""
    return os.environ.get("METASPO_STORE") or "metaspo.db"
