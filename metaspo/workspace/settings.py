"""The sizes of a run, and sets of them by name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The sizes of a search; the defaults are the paper's.

    `user_candidates` (m) is proposals per task and round, `keep` (k) the user prompts kept per task,
    `system_candidates` proposals per outer round, `user_failures` and `system_failures` the failing
    examples shown per proposal (the latter of each task). With `validation_size` above 0, scores
    that select come from validation examples and only failures from train. `tested_pairs` is how
    many kept user prompts a task brings to the final test. `prompt_length` limits what the optimizer
    writes of a candidate, in characters; 0 is no limit. `rephrasings` is how many of a parent's edited
    candidates the optimizer rephrases; without any, component edits need no optimizer model.

    `system_steps` is how many system steps come before so many `user_steps` where a method takes several, `taper`
    how many times fewer of both (rounded up) it takes from its second time through them on, and `patience` after how
    many steps in a row that change nothing such a method stops; 0 is never.
    `demonstrations` is how many solved training examples a user prompt may carry, 0 for none. `most_failures`
    is how many failing examples are shown for a system prompt over all tasks, which share them out; 0 is
    `system_failures` of each. `compositions` is how many system prompts of library sentences a search in small
    steps begins with, and `exchanges` how many steps follow in which one sentence changes; neither needs an
    optimizer model.
    """

    iterations: int = 3
    user_candidates: int = 3
    keep: int = 3
    system_candidates: int = 9
    user_failures: int = 3
    system_failures: int = 2
    train_size: int = 50
    validation_size: int = 0
    test_size: int = 500
    tested_pairs: int = 3
    proposal_attempts: int = 3
    prompt_length: int = 0
    rephrasings: int = 1
    system_steps: int = 1
    user_steps: int = 1
    taper: int = 3
    patience: int = 0
    demonstrations: int = 0
    most_failures: int = 0
    compositions: int = 0
    exchanges: int = 0


PRESETS: dict[str, Settings] = {
    "paper": Settings(),
    "quick": Settings(
        iterations=2, user_candidates=2, keep=1, system_candidates=5, user_failures=2, system_failures=1,
        train_size=16, test_size=40, tested_pairs=1, prompt_length=240,
    ),
    "batch": Settings(iterations=2, user_candidates=5, system_candidates=14, proposal_attempts=1),
}  # fmt: skip
"""Sizes by name: the paper's, sizes for a small model on a laptop, and about as many candidates as the paper's in fewer and
wider rounds, for models whose calls go out in batches: there it counts how many of these follow one another."""
