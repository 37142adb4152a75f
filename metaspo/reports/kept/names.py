"""Names under which prompts are kept: those of tasks and people, made valid for a registry."""

import hashlib
import re
from collections.abc import Sequence

LONGEST = 80
"""Characters of a name."""


def names(base: str, tasks: Sequence[str], *, lower: bool = False) -> dict[str, str]:
    """What the system prompt ("") and each task's user prompt are called: BASE and BASE-TASK, no two alike.

    A name that has to change in more than its spaces and capitals ends with the beginning of its hash, so that the
    same task always has the same name and another never takes it.
    """
    first = valid(base, lower=lower)
    found = {task: valid(task, lower=lower) for task in tasks}
    taken: set[str] = set()
    # Names that stay as they are come first, in an order that does not depend on that of the tasks.
    for task in sorted(found, key=lambda task: (found[task] != task, task)):
        if found[task].casefold() in taken:
            found[task] = _marked(found[task], task)
        taken.add(found[task].casefold())
    return {"": first} | {task: f"{first}-{name}" for task, name in found.items()}


def valid(name: str, *, lower: bool = False) -> str:
    """A name of ASCII letters, digits, "_" and "-" that begins with a letter; in small letters where a registry wants that."""
    spaced = re.sub(r"\s+", "-", name.strip())
    spaced = spaced.lower() if lower else spaced
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", spaced)
    kept = kept if kept[:1].isalpha() else f"prompt-{kept.lstrip('-_')}"
    return kept if kept == spaced and len(kept) <= LONGEST else _marked(kept[:LONGEST], name)


def _marked(kept: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kept.strip('-_')}-{digest}"
