"""MLflow's own client: imported late, since that takes seconds, and for the server that its own variables name."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ...domain.errors import ConfigError, MissingExtraError


def check_mlflow(what: str) -> None:
    """Look whether MLflow can be used, without importing it. Raises MissingExtraError and ConfigError."""
    if find_spec("mlflow") is None:
        raise MissingExtraError(what, "mlflow")
    used = sys.modules.get("mlflow")
    if not any(os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")) and not (
        used and used.is_tracking_uri_set()
    ):
        raise ConfigError(f"{what}: no server is named; set MLFLOW_TRACKING_URI, such as http://127.0.0.1:5000")


def import_mlflow() -> Any:
    """The library. It is not to tell its makers of what a run does with it, unless somebody says so."""
    if "mlflow" not in sys.modules:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return import_module("mlflow")


def prepare_mlflow(what: str) -> None:
    """Import it before a run is at work, which would wait for that at its end. Raises MissingExtraError and ConfigError."""
    check_mlflow(what)
    import_mlflow()
