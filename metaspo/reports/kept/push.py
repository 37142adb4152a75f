"""Push: the prompts of a run, as versions, to where prompts are kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...domain.errors import ConfigError, HubError
from ...store.database import default_store
from ..any_run import open_any
from ..report import Report
from .folder import folder_of
from .names import names
from .registry import Kept, Place, Refused
from .version import Version, versions

FORMS = "langsmith:NAME, mlflow:NAME, file or file:FOLDER"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What is kept of a run, and where; for a dry run what would be.

    `renamed` are the names that had to change, with what became of them.
    """

    run: str
    where: str
    verdict: str
    dry_run: bool
    prompts: list[Kept]
    renamed: dict[str, str]
    versions: list[Version]

    def as_data(self) -> dict[str, Any]:
        """All of it as plain data, with the texts and metadata of the prompts."""
        known = [{**asdict(kept), "text": version.text, "metadata": version.metadata}
                 for kept, version in zip(self.prompts, self.versions, strict=True)]  # fmt: skip
        about = {"run": self.run, "where": self.where, "verdict": self.verdict, "dry_run": self.dry_run}
        return {**about, "prompts": known, "renamed": self.renamed}


def push(
    run: str = "last", *, to: str, store: str | Path | None = None, unfinished: bool = False, dry_run: bool = False
) -> Pushed:
    """Keep a run's system prompt and user prompts, as versions, in LangSmith, in MLflow or in a folder.

    `to` is "langsmith:NAME", "mlflow:NAME", "file" or "file:FOLDER"; the system prompt is kept as NAME, the user prompt
    of a task as NAME-TASK. What is there already makes no second version. "confirmed" stands for the newest version
    that is confirmed. `unfinished` takes a run that is not done; `dry_run` only says what would be pushed.
    Raises UserError for a run, a name or a key that cannot be used, HubError where the registry can't be reached;
    both say what was pushed by then.
    """
    place, name = _place(to)
    report = open_any(store or default_store(), run)
    if not isinstance(report, Report):
        raise ConfigError(f"run {report.run.id[:8]} compares system prompts that others have made; push the run that made them")
    made = versions(report, unfinished=unfinished)
    named = names(name or "user", [version.task for version in made if version.task], lower=place.lower)
    kept: list[Kept] = []
    with place:
        try:
            place.keep([(named[version.task], version) for version in made], kept, dry_run=dry_run)
        except Refused as refused:
            raise _failed(refused, made, named, kept) from None
    said = {version.task: version.task or name for version in made}
    renamed = {before: named[task] for task, before in said.items() if not named[task].endswith(before)}
    return Pushed(report.run.id, place.where, report.verdict, dry_run, kept, renamed, made)


def _place(to: str) -> tuple[Place, str]:
    kind, _, name = to.partition(":")
    if kind == "file":
        return folder_of(name), ""
    if kind not in ("langsmith", "mlflow"):
        raise ConfigError(f"--to {to}: write {FORMS}")
    if not name.strip():
        raise ConfigError(f"--to {to}: under what name? Write {kind}:NAME, such as {kind}:support")
    if "/" in name or ":" in name:
        raise ConfigError(
            f"--to {to}: a NAME holds no '/' and no ':'; prompts go to the workspace or server that your key is for"
        )
    if kind == "mlflow":
        from .mlflow_prompts import MLflowPrompts

        return MLflowPrompts(), name
    from .langsmith_prompts import LangSmithPrompts

    return LangSmithPrompts(), name


def _failed(refused: Refused, made: Sequence[Version], named: dict[str, str], kept: list[Kept]) -> Exception:
    """What went wrong, and how far it got."""
    there = {one.task for one in kept}
    left = [named[version.task] for version in made if version.task not in there]
    pushed = ", ".join(f"{one.name} ({one.version})" for one in kept) or "nothing"
    rest = f"; not pushed: {', '.join(left)}" if left else "; not all are marked as confirmed"
    again = "the same command goes on from there" if kept else "push again then"
    return (ConfigError if refused.theirs else HubError)(f"{refused}. Pushed: {pushed}{rest}; {again}")
