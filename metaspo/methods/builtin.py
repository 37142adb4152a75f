"""The methods, as data: a schedule of levels, and how each proposes. PAPER names refer to arXiv 2505.09666.

docs/methods.md compares them and shows how one is added.
"""

from collections.abc import Callable, Mapping
from math import ceil

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT, fixed_text
from ..store.runs import PLACEBO
from ..workspace.method import Method, Proposer, Shown, Step, register, register_variant
from ..workspace.problem import ADAPT, COMMON_FIRST
from ..workspace.settings import Settings
from .composition import COMPOSED, EXCHANGED
from .correction import CORRECTED
from .demonstrations import DEMONSTRATED
from .edits import EDITED
from .evolution import EVOLVED
from .induction import INDUCED
from .paraphrase import PARAPHRASED
from .trimming import TRIMMED
from .unrelated import placebo_of

Schedule = Callable[[Settings], list[Step]]

SMALL_STEPS: dict[str, int] = {
    "iterations": 2, "system_steps": 6, "system_candidates": 3, "user_steps": 3, "user_candidates": 2, "taper": 6, "keep": 1,
    "user_failures": 6, "most_failures": 12, "train_size": 40, "tested_pairs": 1, "patience": 11,
}  # fmt: skip
"""Sizes of many small steps on few examples; benchmarks/search.py says what they are worth."""

SENTENCES: dict[str, int] = {
    "iterations": 1, "compositions": 12, "exchanges": 12, "system_steps": 0, "user_steps": 0, "keep": 1, "train_size": 16,
    "tested_pairs": 1, "patience": 2,
}  # fmt: skip
"""Sizes for a model too small to write prompts: whole sentences alone, see datasets/README.md."""

WIDE_STEPS: dict[str, int] = {
    "iterations": 1, "system_steps": 2, "system_candidates": 12, "user_steps": 1, "user_candidates": 6, "keep": 1,
    "user_failures": 6, "most_failures": 12, "train_size": 30, "tested_pairs": 1,
}  # fmt: skip
"""Sizes of few steps with many candidates each, for batches: a step takes as long with one candidate as with all."""

OF_ALL, OF_EACH = 100, 22
"""Training examples of all tasks together that are as many as it takes, and how many each task has all the same."""

SENTENCES_TRIED = 8
"""Sentences of the system prompt that a shortening step tries to do without; most cost no more than the gate."""


def _fitted(sizes: Mapping[str, int], tasks: int) -> Mapping[str, int]:
    """The sizes for so many tasks: of many, fewer examples each decide as well, and a request shows two failures of each."""
    most = min(sizes["train_size"], max(OF_EACH, OF_ALL // max(1, tasks)))
    shown = {"most_failures": max(sizes["most_failures"], 2 * tasks)} if "most_failures" in sizes else {}
    return {**sizes, "train_size": most, **shown}


def _bilevel(proposer: Proposer) -> Schedule:
    """User prompts and the system prompt in turn."""

    def schedule(sizes: Settings) -> list[Step]:
        user, system = Step("user", sizes.user_candidates, proposer), Step("system", sizes.system_candidates, proposer)
        return [user, system] * sizes.iterations

    return schedule


def _common_first(sizes: Settings) -> list[Step]:
    """Small system steps and one that shortens, then the user prompts, which come to learn what is left; then less of both."""
    system, trim = Step("system", sizes.system_candidates, CORRECTED), Step("system", SENTENCES_TRIED, TRIMMED)
    user, examples = Step("user", sizes.user_candidates, CORRECTED), Step("user", 2, DEMONSTRATED)
    steps = [Step("system", sizes.compositions, COMPOSED)] if sizes.compositions else []
    steps += [Step("system", 2, EXCHANGED)] * sizes.exchanges
    for time in range(sizes.iterations):
        part = sizes.taper if time else 1
        steps += [*[system] * ceil(sizes.system_steps / part), trim] if sizes.system_steps else []
        steps += [user] * ceil(sizes.user_steps / part)
        steps += [examples] if sizes.demonstrations else []
    return steps


def _outer_only(sizes: Settings) -> list[Step]:
    return [Step("system", sizes.system_candidates, CORRECTED)] * (2 * sizes.iterations)


def _user_beam(first: Proposer, then: Proposer) -> Schedule:
    """The user level alone: candidates from the seed, then from each of the kept prompts."""

    def schedule(sizes: Settings) -> list[Step]:
        following = Step("user", sizes.user_candidates, then, parents=sizes.keep)
        return [Step("user", sizes.user_candidates, first), *[following] * (2 * sizes.iterations)]

    return schedule


def _system_beam(sizes: Settings) -> list[Step]:
    """The system level alone, with as many candidates a round as `outer_only`, shared out among the beam."""
    each = max(1, sizes.system_candidates // sizes.keep)
    first = Step("system", sizes.system_candidates, EDITED, keep=sizes.keep)
    following = Step("system", each, EDITED, parents=sizes.keep, keep=sizes.keep)
    return [first, *[following] * (2 * sizes.iterations - 1)] if sizes.iterations else []


def _none(sizes: Settings) -> list[Step]:
    return []


for method in (
    Method(
        COMMON_FIRST,
        "Learns what all tasks have in common first, in many small steps, each judged on as little as it takes.",
        _common_first,
        judging="staged",
        shown=Shown(differing=True, explanations=True, tried=4, tails=True),
        strict=True,
        confirms=True,
        sizes={"paper": SMALL_STEPS, "quick": SENTENCES, "batch": WIDE_STEPS},
        fitted=_fitted,
    ),
    Method("metaspo", "The paper's bilevel search: user prompts, then the system prompt, in turn.", _bilevel(CORRECTED)),
    Method("metaspo_ape", "The same search, with prompts induced from labelled examples.", _bilevel(INDUCED)),
    Method("metaspo_evo", "The same search, with kept prompts crossed and mutated.", _bilevel(EVOLVED)),
    Method("outer_only", "The outer loop alone: the user prompts stay the seeds.", _outer_only),
    Method("protegi", "The inner loop alone, as a beam search; the system prompt is frozen.", _user_beam(CORRECTED, CORRECTED)),
    Method(
        ADAPT, "Test-time adaptation: as protegi, on target tasks, with a curve over rounds.", _user_beam(CORRECTED, CORRECTED)
    ),
    Method(
        "ape", "User prompts induced from labelled examples, then the best ones paraphrased.", _user_beam(INDUCED, PARAPHRASED)
    ),
    Method("sprig", "The system prompt put together from components: a beam search over edits.", _system_beam),
    Method("fixed", "No search: the seed prompts are scored on the test split.", _none),
    Method("default", f"No search: {DEFAULT_SYSTEM_PROMPT!r} as system prompt.", _none, DEFAULT_SYSTEM_PROMPT),
    Method("cot", "No search: 'Let's think step by step.' as system prompt.", _none, fixed_text("cot")),
    Method(
        "service", "No search: a long system prompt as a company's service desk would write it.", _none, fixed_text("service")
    ),
    Method("file:PATH", "No search: the system prompt in a text file. Runs as 'fixed'.", _none),
):
    register(method)

register_variant(PLACEBO, placebo_of)
