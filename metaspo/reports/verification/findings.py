"""What a verification finds: how much was looked at, what differs, and what could not be looked at."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is recorded otherwise than it is found again; fields that do not apply are empty.

    `what` names it: outcome, mean, reply, winner, kept prompt, candidate, round, prompt, example, image, lineage, answer
    or calls.
    """

    run: str
    what: str
    recorded: str
    found: str
    task: str = ""
    pair: str = ""
    example: str = ""


@dataclass(slots=True)
class Findings:
    """`checked` counts what was found again by kind, `unchecked` what could not be looked at by reason."""

    checked: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)

    @property
    def well(self) -> bool:
        """Whether everything was looked at and nothing differs."""
        return not self.differences and not self.unchecked

    def compare(self, recorded: object, found: object, difference: Difference) -> bool:
        """Count one thing that is recorded and found; keep the difference where they are not the same."""
        self.checked[difference.what] += 1
        if recorded != found:
            self.differences.append(difference)
        return recorded == found
