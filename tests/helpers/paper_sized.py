"""A search of any size, written into a store by the store's own functions: no model is asked, every text is the test's."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from metaspo.domain.calls import Reply
from metaspo.domain.prompts import Prompt, RoundLevel
from metaspo.domain.results import Evaluation, Example, Outcome, Split
from metaspo.store import calls, evaluations, events, prompts, runs
from metaspo.store.database import Store, now
from metaspo.store.prompts import CandidateRow, KeptPair, RoundRow

Say = Callable[[str, int], str]
"""The text of a kind ("task", "question", "answer", "reply", "explanation", "prompt", "reason", "model"), by its number."""


@dataclass(frozen=True)
class Size:
    """The paper's: some 20,000 calls."""

    sources: int = 5
    targets: int = 2
    examples: int = 60
    iterations: int = 3
    users: int = 4
    systems: int = 9
    kept: int = 2


class Search:
    """Writes a run of the paper's method: seeds, rounds of user and of system prompts, a test of first and last prompts."""

    def __init__(self, store: Store, say: Say, size: Size) -> None:
        self.db, self.say, self.size, self.id = store.db, say, size, "a-run"
        self.random, self.numbers, self.scored = random.Random(0), count(), list[str]()
        self.sources = [say("task", at) for at in range(size.sources)]
        self.targets = [say("task", size.sources + at) for at in range(size.targets)]
        self.golds = [say("answer", at) for at in range(2)]

    def write(self) -> str:
        """All of it; the run's id."""
        self._begin()
        system, users = self._prompt("system"), {name: [self._prompt("user")] for name in [*self.sources, *self.targets]}
        seeds = system, {name: own[0] for name, own in users.items()}
        self._close(0, "seed", system, users, [("", [system]), *((name, users[name]) for name in users)])
        for round in range(1, 2 * self.size.iterations + 1):
            level: RoundLevel = "user" if round % 2 else "system"
            if level == "user":
                tried = [(name, [self._prompt("user") for _ in range(self.size.users)]) for name in self.sources]
                pairs = [(name, system, user) for name, own in tried for user in own]
                users |= {name: [*own[: self.size.kept - 1], *users[name]][: self.size.kept] for name, own in tried}
            else:
                tried = [("", [self._prompt("system") for _ in range(self.size.systems)])]
                pairs = [(name, other, user) for other in tried[0][1] for name in self.sources for user in users[name]]
                system = tried[0][1][0]
            for name, with_system, user in pairs:
                self._score(name, "train", with_system, user)
            self._close(round, level, system, users, tried)
        for name in users:
            self._score(name, "test", seeds[0], seeds[1][name])
            self._score(name, "test", system, users[name][0])
        self._close(round + 1, "test", system, users, [])
        return self.id

    def _begin(self) -> None:
        spec: dict[str, Any] = {"provider": "server", "name": self.say("model", 0)}
        problem = {"system_prompt": self.say("prompt", 0), "tasks": self.sources, "targets": self.targets, "system_prompts": []}
        config = {"problem": problem, "context": {"base": spec, "optimizer": spec}, "settings": {}}
        runs.create(
            self.db, runs.Run(self.id, None, None, "metaspo", config, "done", self.say("reason", 0), now(), now(), 1.0, "0")
        )
        for at, name in enumerate([*self.sources, *self.targets]):
            examples = [
                Example(f"{split} {n}", self.say("question", next(self.numbers)), (self.golds[n % 2],))
                for split in ("train", "test")
                for n in range(self.size.examples)
            ]
            reader = {"kind": "choice", "labels": self.golds}
            written = {"name": name, "domain": "", "metric": {"kind": "accuracy"}, "answer_format": "", "reader": reader}
            drawn = evaluations.RunTask(
                self.id,
                f"id {at}",
                name,
                "source" if name in self.sources else "target",
                *(self.size.examples, 0, self.size.examples),
            )
            evaluations.save_task(self.db, drawn, written | {"user_prompt": self.say("prompt", 1)}, examples)

    def _prompt(self, kind: Any) -> Prompt:
        made = Prompt(kind, f"{self.say('prompt', next(self.numbers))} {next(self.numbers)}")
        prompts.save_prompts(self.db, [made])
        return made

    def _score(self, name: str, split: Split, system: Prompt, user: Prompt) -> None:
        outcomes = list(self._answers(split))
        replies = [Reply(self.say("reply", next(self.numbers)), "stop", 100, 20) for _ in outcomes]
        made = [calls.Call(o.call, self.id, "base", "m", {}, r, now()) for o, r in zip(outcomes, replies, strict=True)]
        calls.record(self.db, made)
        id = f"{split} {next(self.numbers)}"
        at = [*self.sources, *self.targets].index(name)
        mean = sum(one.score for one in outcomes) / len(outcomes)
        evaluations.save_evaluation(
            self.db, Evaluation(id, f"id {at}", system.id, user.id, split, mean, tuple(outcomes)), "m", now()
        )
        about = {"event": "scored", "round": 0, "level": "user", "task": name, "split": split, "score": mean}
        spent = {"calls": next(self.numbers), "cost": 0.0, "cached": 0, "input_tokens": 1, "output_tokens": 1}
        events.tell(self.db, self.id, about | {"sample": outcomes[0].explanation[:100], "spent": spent})
        self.scored.append(id)

    def _answers(self, split: Split) -> Iterator[Outcome]:
        for n in range(self.size.examples):
            gold, other = self.golds[n % 2], self.golds[1 - n % 2]
            answer = self.random.choices([gold, other, None], [7, 2, 1])[0]
            right, number = answer == gold, next(self.numbers)
            said = "" if right else self.say("explanation", number)
            yield Outcome(f"{split} {n}", f"call {number}", answer, float(right), not right, said)

    def _close(
        self,
        round: int,
        level: RoundLevel,
        system: Prompt,
        users: dict[str, list[Prompt]],
        tried: Sequence[tuple[str, Sequence[Prompt]]],
    ) -> None:
        score = 0.5 + round / 50
        pairs = [
            KeptPair(self.id, round, name, at, system.id, user.id, score)
            for name in self.sources
            for at, user in enumerate(users[name])
        ]
        statuses = ["seed"] if level == "seed" else ["kept", "rejected", "dropped"]
        rows = [
            CandidateRow(
                self.id, round, "user" if name else "system", name, at, made.id, system.id if level != "seed" else None,
                statuses[min(at, len(statuses) - 1)], self.say("reason", at) if at > 1 else None, score,
            )  # type: ignore[arg-type]
            for name, own in tried
            for at, made in enumerate(own)
        ]  # fmt: skip
        prompts.save_round(self.db, RoundRow(self.id, round, level, system.id, score, 1, 0), rows, pairs, self.scored)
        self.scored = []


def write_search(store: Store, say: Say, size: Size = Size()) -> str:
    """Write one and return its id."""
    return Search(store, say, size).write()
