"""A run written into a store by hand, with whatever outcomes a test is about."""

from collections.abc import Sequence
from typing import Any

from metaspo.domain.calls import Reply
from metaspo.domain.prompts import Prompt
from metaspo.domain.results import Evaluation, Example, Outcome, Split
from metaspo.store import calls, evaluations, prompts, runs
from metaspo.store.database import Store, now
from metaspo.store.prompts import CandidateRow, KeptPair, RoundRow

SEED, FOUND = "The seed.", "What was found."


class WrittenRun:
    """A run whose seeds and found prompts are given; each of its rounds is written with the evaluations that belong to it."""

    def __init__(self, store: Store, *, id: str = "a-run", **about: Any) -> None:
        self.store, self.id, self.scored = store, id, list[str]()
        problem = {"system_prompt": SEED, "tasks": [], "targets": [], **about.pop("problem", {})}
        config = {"problem": problem, "context": {}, "settings": {}}
        given = {"method": "common_first", "status": "done", "reason": None} | about
        row = runs.Run(id, None, None, given["method"], config, given["status"], given["reason"], now(), now(), 1.0, "0")
        runs.create(store.db, row)
        self.golds: dict[str, list[str]] = {}

    def task(self, name: str, golds: Sequence[str], *, role: evaluations.Role = "source", **spec: Any) -> None:
        """A task with so many examples of each split."""
        self.golds[name] = list(golds)
        examples = [
            Example(f"{split} {at}", "?", (gold,)) for split in ("train", "validation", "test") for at, gold in enumerate(golds)
        ]
        written = {
            "name": name,
            "domain": "",
            "metric": {"kind": "accuracy"},
            "user_prompt": self.seed_user(name),
            "answer_format": "",
        }
        drawn = evaluations.RunTask(self.id, f"id of {name}", name, role, len(golds), len(golds), len(golds))
        evaluations.save_task(self.store.db, drawn, written | spec, examples)

    def seed_user(self, name: str) -> str:
        return f"{name}: {{question}}"

    def score(self, name: str, split: Split, pair: tuple[str, str], answers: Sequence[str | None], **outcome: Any) -> None:
        """Score a pair on a split of a task: right where the answer is the gold one, each reply being the answer itself."""
        system, user = (Prompt(kind, text) for kind, text in zip(("system", "user"), pair, strict=True))  # type: ignore[arg-type]
        prompts.save_prompts(self.store.db, [system, user])
        keys = [f"{self.id} {name} {split} {pair} {at}" for at in range(len(answers))]
        texts = outcome.pop("replies", [answer or "" for answer in answers])
        made = [Reply(text, "stop", len(pair[0]), 2) for text in texts]
        calls.record(
            self.store.db, [calls.Call(k, self.id, "base", "m", {}, r, now()) for k, r in zip(keys, made, strict=True)]
        )
        golds = self.golds[name]
        found = tuple(
            Outcome(f"{split} {at}", keys[at], answer, float(answer == golds[at]), answer != golds[at], **outcome)
            for at, answer in enumerate(answers)
        )
        mean = sum(one.score for one in found) / len(found)
        id = f"evaluation {self.id} {name} {split} {pair}"
        evaluation = Evaluation(id, f"id of {name}", system.id, user.id, split, mean, found)
        evaluations.save_evaluation(self.store.db, evaluation, "m", now())
        self.scored.append(id)

    def close(self, number: int, level: Any, system: str, users: dict[str, str] | None = None) -> None:
        """Close a round with the evaluations since the last one; what stands is this system prompt and these user prompts."""
        sources = [row.name for row in evaluations.run_tasks(self.store.db, self.id) if row.role == "source"]
        users = {name: self.seed_user(name) for name in sources} | (users or {})
        incumbent, first = (
            Prompt("system", system),
            [Prompt("system", SEED), *(Prompt("user", self.seed_user(name)) for name in sources)],
        )
        prompts.save_prompts(self.store.db, [incumbent, *first, *(Prompt("user", text) for text in users.values())])
        pairs = [KeptPair(self.id, number, name, 0, incumbent.id, Prompt("user", text).id, 0.5) for name, text in users.items()]
        seeds = [
            CandidateRow(self.id, 0, prompt.kind, "" if at == 0 else sources[at - 1], 0, prompt.id, None, "seed")
            for at, prompt in enumerate(first)
            if number == 0
        ]
        row = RoundRow(self.id, number, level, incumbent.id, 0.5, 0, 0)
        prompts.save_round(self.store.db, row, seeds, pairs, self.scored)
        self.scored = []
