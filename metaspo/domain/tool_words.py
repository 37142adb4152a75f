"""What a model that called a tool is told of an error: one sentence that says what is wrong and what to do."""

import re

from .errors import BudgetSpent, MetaspoError, RunStopped
from .redaction import redact

FOLDERS = re.compile(r"(?<![\w:/\\.])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\:;,'\"]+[/\\])+(?=[^\s/\\])")
"""The folders that a whole path begins with; an address on the web has none."""


def to_a_model(kind: str, said: str, run: str = "") -> str:
    """An error in a sentence: ours in its own words, without where files lie, and of any other no more than its kind.

    `kind` is the name of the error's class, `said` its message, and `run` the id of the run that it stopped, if any.
    """
    words = FOLDERS.sub("", "; ".join(line.strip() for line in said.splitlines() if line.strip()))
    if words and kind in _kinds(MetaspoError):
        less = "; ask for less: preset quick, fewer tasks, smaller sizes" if kind == BudgetSpent.__name__ else ""
        kept = f"; what run {run} has done is kept, 'metaspo resume {run}' goes on with it"
        return f"{words}{less}{kept if run and kind in _kinds(RunStopped) else ''}"
    if kind in ("CancelledError", "UserInterrupt", "UserRollback"):
        return "somebody cancelled the run; call the tool again, and what was paid is not paid again"
    # It may hold paths, keys or code, which are no business of whoever called.
    return f"the run failed inside metaspo ({redact(kind)}), by no fault of your call that is known; the log says why"


def _kinds(error: type[BaseException]) -> set[str]:
    return {error.__name__}.union(*(_kinds(kind) for kind in error.__subclasses__()))
