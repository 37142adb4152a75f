"""Which drafts become examples: seeded, none twice, nothing shared between train and test. Pure functions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from ..likeness import comparable
from .conversions import Draft


@dataclass(frozen=True)
class Drawn:
    """The drafts of one split, and how many were left out for which reason."""

    kept: list[Draft]
    dropped: Counter[str] = field(default_factory=Counter)


def draw(train: Sequence[Draft], test: Sequence[Draft], sizes: tuple[int, int], seed: str) -> dict[str, Drawn]:
    """Draw at most `sizes` (train, test) examples.

    Test comes first; train takes from what shares no question and no group with it. `train` and
    `test` may be the same list, which is then dealt between the two.
    """
    random = Random(seed)
    chosen = _take(_shuffled(test, random), sizes[1], set(), set())
    questions = {comparable(draft.question) for draft in chosen.kept}
    groups = {draft.group for draft in chosen.kept if draft.group}
    return {"train": _take(_shuffled(train, random), sizes[0], questions, groups), "test": chosen}


def _shuffled(drafts: Sequence[Draft], random: Random) -> list[Draft]:
    return random.sample(list(drafts), len(drafts))


def _take(drafts: Sequence[Draft], size: int, questions: set[str], groups: set[str]) -> Drawn:
    drawn = Drawn([])
    seen: set[str] = set()
    for draft in drafts:
        question = comparable(draft.question)
        if question in questions:
            drawn.dropped["in test"] += 1
        elif draft.group in groups:
            drawn.dropped["related to a test example"] += 1
        elif question in seen:
            drawn.dropped["asked twice"] += 1
        elif len(drawn.kept) == size:
            drawn.dropped["not drawn"] += 1
        else:
            seen.add(question)
            drawn.kept.append(draft)
    return drawn


def distinct(train: Sequence[Draft], test: Sequence[Draft]) -> dict[str, Drawn]:
    """All drafts in their order, less those asked twice; of a question in both, test keeps it."""
    chosen = _take(test, len(test), set(), set())
    return {"train": _take(train, len(train), {comparable(draft.question) for draft in chosen.kept}, set()), "test": chosen}


def shared_questions(train: Sequence[Draft], test: Sequence[Draft]) -> int:
    """How many questions stand on both sides; anything but 0 is a leak."""
    return len({comparable(draft.question) for draft in train} & {comparable(draft.question) for draft in test})
