"""MLflow's prompt registry, through its own client; the server's address and keys are in the variables that it reads."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from ...domain.redaction import redact
from ...domain.visible import visible
from ...workspace.tracking.mlflow_client import check_mlflow, import_mlflow
from .registry import Refused, Registry, There
from .templates import mlflow_template
from .version import PREFIX, Version

PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""How long its client waits for a server, in seconds and tries, where its user has not said so: its own way is minutes."""

MISSING = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE")
"""What it calls a name or an alias that is not there."""

KEY = re.compile(r"\b(401|403)\b|UNAUTHENTICATED|PERMISSION_DENIED")
"""What its words hold when a server does not take the key."""


class MLflowPrompts(Registry):
    """Prompts of MLflow: each version a template with tags, each pointer an alias."""

    def __enter__(self) -> Self:
        """Open the client. Raises MissingExtraError without MLflow, ConfigError where no server is named."""
        check_mlflow("--to mlflow")
        mlflow = import_mlflow()
        self.where = f"MLflow at {redact(mlflow.get_registry_uri())}"
        with ExitStack() as opened:
            opened.enter_context(_quiet())
            self._client = mlflow.MlflowClient()
            self._open = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the client's settings back."""
        self._open.close()

    def known(self, name: str, pointer: str) -> tuple[There, str, str] | None:
        """The version with an alias."""
        with self.in_words():
            try:
                found = self._client.get_prompt_version_by_alias(name, pointer)
            except Exception as error:
                if getattr(error, "error_code", "") in MISSING:
                    return None
                raise
        if found is None:
            return None
        return _there(found), found.tags.get(f"{PREFIX}task", ""), found.tags.get(f"{PREFIX}digest", "")

    def add(self, name: str, version: Version) -> There:
        """Register the next version."""
        tags = {key: _tag(value) for key, value in version.metadata.items() if value != ""}
        with self.in_words():
            made = self._client.register_prompt(name, mlflow_template(version), commit_message=version.says, tags=tags)
        return _there(made)

    def point(self, name: str, pointer: str, there: There) -> None:
        """Set the alias, which moves it."""
        with self.in_words():
            self._client.set_prompt_alias(name, pointer, int(there.id))

    def is_newer(self, name: str, one: There, other: There) -> bool:
        """Versions are numbered."""
        return int(one.id) > int(other.id)

    def refused(self, error: Exception) -> Refused:
        """What its client raised, in words and without keys."""
        said, code = redact(str(error)), getattr(error, "error_code", "")
        first = visible(said.strip().split("\n")[0])[:300] or type(error).__name__
        if KEY.search(said) or code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            keys = "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            return Refused(f"{self.where} does not take the key; check {keys}", theirs=True)
        if "failed with exception" in said or "imed out" in said:
            return Refused(
                f"{self.where} can't be reached or is too slow; check MLFLOW_TRACKING_URI and the network", theirs=False
            )
        if "not in a valid JSON format" in said:
            return Refused(f"{self.where} does not answer as MLflow does; check MLFLOW_TRACKING_URI", theirs=False)
        return Refused(f"{self.where} refuses it: {first}", theirs=code in MISSING)


def _there(found: Any) -> There:
    return There(f"version {found.version}", str(found.version))


def _tag(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Have MLflow's client wait no longer than people do, and say nothing beside errors."""
    added = {name: value for name, value in PATIENCE.items() if name not in os.environ}
    log = logging.getLogger("mlflow")
    before = log.level
    os.environ.update(added)
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
        for name in added:
            os.environ.pop(name, None)
