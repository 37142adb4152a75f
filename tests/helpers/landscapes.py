"""Random worlds to search in: which prompts answer which questions, and what the optimizer writes, all by the hash of a number.

`scripted:tests.graph.landscapes:base` and `:optimizer` play them. The world's number stands in every
prompt and question ("W17 ..."), so that a request tells which world it comes from.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random

from metaspo import Task
from metaspo.domain.calls import Request

FENCE = re.compile(r"-----BEGIN DATA (\w+)-----\n(.*?)\n-----END DATA \1-----", re.DOTALL)


def chance(*parts: object) -> float:
    """A number in [0, 1) that belongs to its parts."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6], "big") / 2**48


@dataclass(frozen=True)
class World:
    """One landscape; small sizes and few distinct prompts make ties, repeats and solved tasks common."""

    number: int

    @cached_property
    def sizes(self) -> dict[str, int]:
        random = Random(self.number)
        most = {
            "iterations": 2, "user_candidates": 3, "keep": 3, "system_candidates": 6, "user_failures": 3, "system_failures": 2,
            "train_size": 3, "proposal_attempts": 2,
        }  # fmt: skip
        return {name: max(random.randint(1, size) for _ in range(2)) for name, size in most.items()}

    @cached_property
    def tasks(self) -> dict[str, list[str]]:
        """Task names and their train questions."""
        count = Random(-self.number).randint(1, 3)
        return {name: [f"W{self.number} {name} {at}?" for at in range(self.sizes["train_size"])] for name in "abc"[:count]}

    @property
    def seed_system(self) -> str:
        return f"W{self.number} seed"

    def seed_user(self, task: str) -> str:
        return f"W{self.number} {task}: {{question}}"

    def right(self, system: str, user: str, question: str) -> bool:
        """Whether the base model answers a question rightly under a pair of prompts."""
        task = question.split()[1]
        ease = [0.0, 0.3, 0.5, 0.7, 1.0][int(5 * chance(self.number, task))] if chance(self.number, "mixed") < 0.8 else 0.5
        better = 0.9 * chance(self.number, system) * chance(task, user)
        return chance(system, user, question) < ease + (1 - ease) * better

    def reply(self, place: str, system: str, user: str, shown: int) -> str:
        """The optimizer's reply to a request that comes from `place`, shows so many failures and one or both prompts."""
        random = Random(f"{self.number} {place} {system} {user} {shown}")
        if random.random() < 0.2:
            return random.choice(["No prompt at all.", "<prompt> </prompt>", f"<prompt>W{self.number} never closed", ""])
        end = random.choice([" {question}"] * 5 + ["", " {question} {question}"]) if user else ""
        return f"Well: <prompt>W{self.number} {'u' if user else 's'}{random.randrange(12)}{end}</prompt>"

    def as_tasks(self) -> list[Task]:
        return [
            Task.model_validate({
                "name": name, "examples": {"train": [{"question": text, "answer": "yes"} for text in questions]},
                "user_prompt": self.seed_user(name), "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
            })
            for name, questions in self.tasks.items()
        ]  # fmt: skip


@lru_cache
def world(number: int) -> World:
    return World(number)


def base(request: Request) -> str:
    """Right or wrong as the world has it: what stands before the question is the user prompt."""
    (_, system), (_, asked) = request.messages
    found = re.search(r"W(\d+) [a-c] \d+\?", asked)
    assert found
    user = asked[: found.start()] + "{question}" + asked[found.end() :]
    return "yes" if world(int(found[1])).right(system, user, found[0]) else "no"


def optimizer(request: Request) -> str:
    """An analysis, or the reply that the world has for the parent, the number of failures shown and the place."""
    [(_, text)] = request.messages
    fences = [data for _, data in FENCE.findall(text)]
    if "between <prompt> and </prompt>" not in text:
        return f"analysis of {fences[0]}"
    system, user = fences[0], fences[1] if len(fences) == 4 else ""
    found = re.match(r"W(\d+) ", system)
    examples = [json.loads(line) for line in fences[-2].splitlines()]
    assert found and all(example["reply"] == "no" for example in examples) and fences[-1] == f"analysis of {system}"
    return world(int(found[1])).reply(request.sample.split(", ", 1)[1], system, user, len(examples))
