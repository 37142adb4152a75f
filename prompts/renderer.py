"""The optimizer's own prompts: text files with a fixed set of variables, filled in a single pass."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from metaspo.domain.errors import PromptError

FOLDER = Path(__file__).resolve().parent
VARIABLE = re.compile(r"\[\[(\w+)\]\]")

NONE: Mapping[str, str] = MappingProxyType({})
"""No prompts of one's own."""

VARIABLES: dict[str, frozenset[str]] = {
    "analyze_user": frozenset({"system_prompt", "user_prompt", "examples"}),
    "analyze_system": frozenset({"system_prompt", "examples"}),
    "propose_user": frozenset({"system_prompt", "user_prompt", "examples", "analysis", "answer_format"}),
    "propose_system": frozenset({"system_prompt", "examples", "analysis"}),
    "induce_user": frozenset({"examples", "answer_format"}),
    "induce_system": frozenset({"examples"}),
    "evolve_user": frozenset({"prompts", "answer_format"}),
    "evolve_system": frozenset({"prompts"}),
    "paraphrase_user": frozenset({"prompt", "answer_format"}),
    "rephrase": frozenset({"component"}),
    "locked": frozenset({"parts", "places"}),
    "longest": frozenset({"characters"}),
    "placeholders": frozenset({"names"}),
    "tried": frozenset({"attempts"}),
    "again": frozenset({"complaint"}),
    "judge": frozenset({"rubric", "question", "reference", "answer"}),
    "judge_alone": frozenset({"rubric", "question", "answer"}),
}
"""Every template and the variables it must hold, each at least once, and no others."""


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt text with [[variables]]."""

    name: str
    text: str

    def render(self, **values: str) -> str:
        """Fill in the variables; what looks like a variable inside a value stays as it is."""
        if set(values) != VARIABLES[self.name]:
            raise PromptError(f"template '{self.name}' takes {', '.join(sorted(VARIABLES[self.name]))}")
        return VARIABLE.sub(lambda match: values[match[1]], self.text)


def template(name: str, own: Mapping[str, str] = NONE) -> Template:
    """The template of that name: a person's own, where there is one among `own` (checked texts by name), or else ours."""
    return Template(name, own[name]) if name in own else ours(name)


@cache
def ours(name: str) -> Template:
    """Our template of that name; raises PromptError when its variables are not the ones it must hold."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
    found = frozenset(VARIABLE.findall(text))
    if found != VARIABLES[name]:
        off = ", ".join(sorted(found ^ VARIABLES[name]))
        raise PromptError(f"{FOLDER / f'{name}.md'}: variables missing or unknown: {off}")
    return Template(name, text)


def fixed_text(name: str) -> str:
    """The text of a fixed system prompt: "default", "cot" or "service"."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip()


DEFAULT_SYSTEM_PROMPT = fixed_text("default")
"""What a search starts from, and what a system prompt is compared with, where nothing else is said."""


@cache
def lines_by_category(name: str) -> dict[str, tuple[str, ...]]:
    """The lines that a YAML file of this room holds, by category.

    "components" are instructions of every kind; "sentences" are whole sentences that read as one text where
    at most one of each category stands in the order of the file.
    """
    import yaml  # the command line reads a prompt from here, and nothing else of it needs YAML

    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return {category: tuple(lines) for category, lines in found.items()}


def components() -> dict[str, tuple[str, ...]]:
    """The instructions that `sprig` puts system prompts together from, by category; each is a single line."""
    return lines_by_category("components")


def fenced(content: str) -> str:
    """Data between two marker lines that the data cannot contain.

    The marker is drawn from the content's own hash, so the same data is always fenced alike (the
    ledger relies on it) and no data can hold a line that ends its own fence.
    """
    mark = ""
    while not mark or mark in content:
        mark = hashlib.sha256(f"{mark}{content}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"-----BEGIN DATA {mark}-----\n{content}\n-----END DATA {mark}-----"
