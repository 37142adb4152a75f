"""How long the prompts of a search may become, and what an estimate of its tokens assumes."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.calls import BYTES_A_TOKEN, TOKENS_AN_IMAGE
from ..domain.messages import image_urls
from ..domain.results import Example
from ..prompts.renderer import components, fixed_text, lines_by_category
from ..tasks.task import Task
from .config import RunConfig

SENTENCES = 3
"""Library sentences that a candidate made without a model has more than its parent, at most."""


@dataclass(frozen=True, slots=True)
class Longest:
    """The most that a system prompt and a user prompt may have, in bytes."""

    system: int
    user: int


def size_of(text: str) -> int:
    """The bytes of a text, which tokens are estimated from."""
    return len(text.encode("utf-8", "surrogatepass"))


def asked_size(example: Example) -> int:
    """The same of a question as a model gets it: each image counts as so many bytes as its tokens are estimated at."""
    return size_of(example.question) + BYTES_A_TOKEN * TOKENS_AN_IMAGE * len(image_urls(example.messages))


def longest_prompts(config: RunConfig, tasks: Sequence[Task]) -> Longest:
    """How long prompts may be at the end of a search: what it begins with, and what every step may write or add.

    An optimizer's own text is as long as its longest reply; `prompt_length`, `system_length` and `user_length` limit it.
    """
    start, sizes = config.start, config.problem().settings()
    systems = [start.system_prompt, *start.beam] if start else [config.first_system_prompt, *config.system_prompts]
    users = [text for task in tasks for text in (task.spec.user_prompt, *task.spec.user_prompts)]
    users += [text for texts in (start.user_prompts.values() if start else ()) for text in texts]
    found = {"system": max(map(size_of, systems)), "user": max(map(size_of, users), default=0)}
    kept = {
        "system": sum(map(size_of, config.locks.parts)),
        "user": max((size_of(t.spec.answer_format) for t in tasks), default=0),
    }
    written = BYTES_A_TOKEN * config.optimizer.longest("optimizer")
    written = min(written, BYTES_A_TOKEN * 2 * sizes.prompt_length) if sizes.prompt_length else written
    train = [example for task in tasks for example in task.splits["train"]]
    example = max((size_of(e.question) + max(map(size_of, e.answers), default=0) for e in train), default=0)
    for step in config.schedule():
        asked = step.proposer.requests(sizes, step.candidates)
        if asked == step.candidates:
            carried = sizes.demonstrations * (example + kept["user"]) if step.level == "user" else 0
            found[step.level] = max(found[step.level], written + kept[step.level] + carried)
        else:
            added = (
                _longest_piece() if step.level == "system" else max(_longest_piece(), sizes.demonstrations * (example + 100))
            )
            found[step.level] += max(added, written if asked else 0)
    limits = {"system": config.system_length, "user": config.user_length}
    most = {level: min(size, BYTES_A_TOKEN * (limits[level] or size)) for level, size in found.items()}
    return Longest(most["system"], most["user"])


def _longest_piece() -> int:
    lines = [line for book in (lines_by_category("sentences"), components()) for one in book.values() for line in one]
    return SENTENCES * max(map(size_of, [*lines, *fixed_text("unrelated").splitlines()]))


def assumptions(config: RunConfig, longest: Longest) -> str:
    """What the tokens and costs of a plan rest on, in a few sentences."""
    system, user = (-(-size // BYTES_A_TOKEN) for size in (longest.system, longest.user))
    base = max(spec.longest("base") for spec in config.base_models)
    others = config.optimizer.longest("optimizer"), config.optimizer.longest("judge")
    analyst = f"analyst {config.analyst.longest('optimizer')}, " if config.analyst else ""
    told = [
        f"Tokens and cost are estimates: they assume {BYTES_A_TOKEN} bytes of text a token, "
        f"{TOKENS_AN_IMAGE:,} tokens an image, every reply as long as it may be "
        f"(max_tokens: base {base}, optimizer {others[0]}, {analyst}"
        f"judge {others[1]} where none is set), and every prompt as long as it may become (system prompt {system:,} tokens, "
        f"user prompt {user:,}; the optimizer's max_tokens, prompt_length, system_length and user_length limit that)."
    ]
    models = (*config.base_models, config.optimizer, config.analyst)
    if {spec.provider for spec in models if spec} & {"object", "program"}:
        told.append("A LangChain model or a program goes by limits of its own, and a program may call several models.")
    if config.approve != "none":
        told.append(
            "Of the prompts shown for approval, each may be edited once; every further edit is scored like one candidate."
        )
    return " ".join(told)
