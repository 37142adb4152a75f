"""A study under test: done with Ray or without, and what has to hold of its store afterwards."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaspo.domain.errors import MetaspoError
from metaspo.reports.verification.verify import verify
from metaspo.studies.study import Study, plan_study, read_study, run_study
from metaspo.studies.table import as_json, study_report

from ...helpers.noted_endpoint import NotedEndpoint
from ..test_study import block

BLOCKS = [block("a"), block("x")]


@dataclass
class Studied:
    """A study by its file, and the endpoint that its model is at."""

    file: Path
    endpoint: NotedEndpoint

    def read(self, store: str = "study.db", **keys: Any) -> Study:
        return read_study(str(self.file), {"store": str(self.file.parent / store), **keys})[1]

    def run(
        self, engine: str | None = "ray", heard: Callable[[str, Any], None] | None = None, store: str = "study.db", **keys: Any
    ) -> MetaspoError | None:
        study = self.read(store, **keys)
        return run_study(study, plan_study(study), heard, engine=engine)

    def table(self, store: str = "study.db") -> dict[str, Any]:
        """The report, but for which of the runs was the one that paid for what several asked."""
        study = self.read(store)
        found: dict[str, Any] = json.loads(as_json(study_report("table", study, plan_study(study))))
        found.pop("paid")
        return found

    def recorded(self, store: str = "study.db") -> int:
        return self.rows("SELECT count(*) FROM calls", store)[0][0]

    def rows(self, sql: str, store: str = "study.db") -> list[Any]:
        db = sqlite3.connect(self.file.parent / store)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def check(self, store: str = "study.db") -> None:
        """What holds of a store that nobody works on."""
        for table in ("leases", "claims", "processes"):
            assert self.rows(f"SELECT * FROM {table}", store) == []
        assert not self.rows("SELECT * FROM runs WHERE status = 'running'", store)
        found = verify(store=self.file.parent / store)
        assert found.well, found
