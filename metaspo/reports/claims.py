"""What the figures allow one to say, in sentences: no gain is called real that a paired test does not find.

Points are hundredths of a score, as people see scores.
"""

from ..domain.counting import counted
from ..domain.percentages import signed
from ..domain.significance import FEWEST, Change
from .confirmation import Confirmation, Verdict

WORDS: dict[Verdict, str] = {
    "confirmed": "Confirmed",
    "unconfirmed": "Unconfirmed",
    "too few": "Too few examples to confirm",
    "not yet": "Not confirmed yet",
}


def claim(where: str, change: Change) -> str:
    """What a change on examples that selected nothing says; `where` is the beginning of the sentence."""
    if not change.differing:
        return f"{where}: no change on {counted(change.examples, 'example')}."
    found = f"{where}: {points(change.value)} on {counted(change.examples, 'example')}"
    if not change.is_real:
        return f"{found}, within noise: no real change is shown ({in_doubt(change)})."
    if change.value > 0:
        return f"{found}, a real gain ({tested(change)})."
    return f"{found}, a real loss ({tested(change)}). Keep the old prompt there."


def verdict_says(verdict: Verdict, found: Confirmation | None, why: str | None) -> str:
    """A run's verdict on the prompts that it found, in a sentence or a few; `why` where nothing was compared."""
    said = [verdict_first(verdict, found, why)]
    if found is None or verdict == "confirmed":
        return said[0]
    if found.change.value < 0:
        said.append(
            "The prompts found did worse, so the run returned the seeds." if found.seeds_returned
            else "The prompts found did worse; they were kept all the same."
        )  # fmt: skip
    if found.needed is not None and found.selecting is not None:
        said.append(
            f"To confirm a gain like that on the selecting examples, {points(found.selecting)}, takes about "
            f"{found.needed:,} examples a task."
        )
    return " ".join(said)


def verdict_first(verdict: Verdict, found: Confirmation | None, why: str | None) -> str:
    """The first sentence of it: the verdict, and the figures behind it."""
    if found is None:
        return f"{WORDS[verdict]}: {why}."
    change = found.change
    shown = tested(change) if verdict == "confirmed" else in_doubt(change)
    return f"{WORDS[verdict]}: {points(change.value)} over the seeds on {kept_back(change)} ({shown})."


def points(value: float) -> str:
    """A difference of scores as people see it."""
    return f"{signed(value)} points"


def tested(change: Change) -> str:
    """The test of a change, for parentheses."""
    return f"paired test, p {'< 0.001' if change.p < 0.001 else f'= {change.p:.3f}'}"


def in_doubt(change: Change) -> str:
    """The same for a change that is not called real: the test, or why there can be none."""
    if change.is_hopeless:
        count = f"{change.differing} of them" if change.differing else "none"
        return f"the two differ on {count}; on fewer than {FEWEST} no test can tell"
    return tested(change)


def kept_back(change: Change) -> str:
    """On how many examples that selected nothing."""
    return f"{counted(change.examples, 'example')} kept back"
