"""What all runs of a store have paid for since a moment: what a budget of a week or a month is held against."""

from datetime import UTC, datetime
from pathlib import Path

from ..domain.calls import Usage
from ..store import calls
from ..store.database import open_store


def spent_since(path: str | Path, moment: datetime) -> Usage:
    """The calls that are on record since then, whatever run paid for them, placebos included; `moment` knows its time zone."""
    with open_store(path) as store:
        return calls.usage_since(store.db, moment.astimezone(UTC).isoformat(timespec="seconds"))
