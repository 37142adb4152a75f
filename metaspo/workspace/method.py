"""What a method is, as data: a schedule of levels, and for each how its candidates are proposed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..domain.errors import ConfigError
from ..domain.paths import path_of
from ..domain.prompts import Level
from .settings import Settings

AS_SHOWN = 1_000_000
"""A number of failures above any that the sizes allow."""

Judging = Literal["exhaustive", "staged"]
"""How candidates are judged: every one on every selecting example, or in stages that drop most of them early."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """How one candidate comes about.

    Either a `request` that the optimizer answers with a prompt, which `finish` makes whole; or a
    `prompt` that needs no model; or neither, for a `reason`. `parent` is the id of the prompt that it
    was made from, None for one that was made from none. `partial` says that the optimizer writes a part
    only, which `finish` puts into the whole.
    """

    parent: str | None
    request: str | None = None
    prompt: str | None = None
    reason: str | None = None
    finish: Callable[[str], str] = str.strip
    partial: bool = False


def _every(sizes: Settings, candidates: int) -> int:
    return candidates


def none_asked(sizes: Settings, candidates: int) -> int:
    """The `requests` of a proposer that makes its candidates without the optimizer."""
    return 0


@dataclass(frozen=True, slots=True)
class Proposer:
    """A way to propose candidates.

    `propose` takes the run's Workspace and the candidate's Job (Any, since both are built on this
    file). `analyses`: whether the optimizer analyses failing examples first; `draws`: how many are
    drawn for the gate alone, at most, where it does not. `requests`: how many of a
    parent's candidates the optimizer writes. `pairs`: the labelled examples that a request shows, by
    level, of the task or of each source task; it is for estimates only. `labelled`: whether tasks must have gold answers.
    """

    name: str
    propose: Callable[[Any, Any], Awaitable[Proposal]]
    analyses: bool = False
    draws: int = 0
    requests: Callable[[Settings, int], int] = _every
    pairs: Callable[[Settings, Level], int] = lambda sizes, level: 0
    labelled: bool = False

    @property
    def meets(self) -> int:
        """The failures that a candidate meets at the gate, at most: those shown where it is written from failures."""
        return AS_SHOWN if self.analyses else self.draws


@dataclass(frozen=True, slots=True)
class Step:
    """One round's level: how candidates are proposed, and how many from each of how many parents.

    At the user level `candidates` counts per parent and task, and `parents` is how many of a task's
    kept prompts get them. At the system level the first parent is the incumbent, and further ones are
    the next best system prompts, of which `keep` are remembered with the incumbent (the beam).
    """

    level: Level
    candidates: int
    proposer: Proposer
    parents: int = 1
    keep: int = 1

    def proposals(self, there: int) -> int:
        """How many candidates come from the parents that are `there`."""
        return self.candidates * min(self.parents, there)

    def requests(self, sizes: Settings, there: int) -> int:
        """How many of these candidates the optimizer writes."""
        return self.proposer.requests(sizes, self.candidates) * min(self.parents, there)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the optimizer is shown beside the prompts and the examples.

    `differing`: failing examples that differ by task, expected answer and question rather than any.
    `explanations`: what a metric or a judge said about each. `tried`: how many earlier candidates of the
    same parent, with how each did. `tails`: the head and the tail of long texts, rather than the head.
    """

    differing: bool = False
    explanations: bool = False
    tried: int = 0
    tails: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A way to search: a name, one line about it, and the rounds it goes through under given sizes.

    `judging` is how its candidates are judged where the problem does not say. `shown` is what the
    optimizer sees, `strict` whether candidates are checked further than a prompt of the paper's is
    (metaspo/methods/checks.py), `confirms` whether the prompts found meet the seeds on validation at the end.
    `sizes` are its own by the name of a preset, before those that a person sets; `fitted` makes those of a preset
    the ones for so many source tasks. A fixed prompt has no rounds and brings its own `system_prompt`.
    """

    name: str
    description: str
    schedule: Callable[[Settings], list[Step]]
    system_prompt: str | None = None
    judging: Judging = "exhaustive"
    shown: Shown = Shown()
    strict: bool = False
    confirms: bool = False
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fitted: Callable[[Mapping[str, int], int], Mapping[str, int]] = lambda sizes, tasks: sizes


FILE = "file:"
"""What the name of a method begins with that scores the system prompt in a file."""

_methods: dict[str, Method] = {}
_variants: dict[str, Callable[[Method], Method]] = {}


def register(method: Method) -> Method:
    """Make a method known by its name."""
    _methods[method.name] = method
    return method


def register_variant(prefix: str, make: Callable[[Method], Method]) -> None:
    """Make a variant of every method known, by the method's name behind a prefix."""
    _variants[prefix] = make


def find_method(name: str) -> Method:
    """The method of that name; raises ConfigError listing those there are."""
    for prefix, make in _variants.items():
        if name.startswith(prefix):
            return make(find_method(name.removeprefix(prefix)))
    if name not in _methods:
        raise ConfigError(f"unknown method {name!r}; known: {', '.join(sorted(_methods))}")
    return _methods[name]


def fixed_prompt(name: str) -> str | None:
    """The system prompt that a method of that name brings with it, or None.

    `file:PATH` brings what the file holds. Raises ConfigError when that cannot be read or is empty.
    """
    if not name.startswith(FILE):
        return _methods[name].system_prompt if name in _methods else None
    path = path_of(name.removeprefix(FILE))
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigError(f"method {name!r}: {path}: {why}; name a text file that holds a system prompt") from None
    if not text:
        raise ConfigError(f"method {name!r}: {path} is empty; write a system prompt into it")
    return text


def needs_optimizer(schedule: Sequence[Step], sizes: Settings) -> bool:
    """Whether any step has something to ask of the optimizer model."""
    return any(step.proposer.analyses or step.requests(sizes, 1) for step in schedule)


def user_methods() -> list[Method]:
    """The methods that leave the system prompt alone and work on user prompts."""
    return [one for one in known_methods() if {step.level for step in one.schedule(Settings())} == {"user"}]


def known_methods() -> list[Method]:
    """All methods, in the order in which they were registered."""
    return list(_methods.values())
