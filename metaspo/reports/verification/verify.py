"""Everything that a store says of its runs found again from the replies in it: outcomes, means, decisions, prompts, lineage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from ...approval.review import EDITED
from ...domain.calls import Usage
from ...domain.errors import ConfigError
from ...domain.prompts import Prompt
from ...domain.results import example_id
from ...domain.twins import twin_of
from ...methods import builtin as builtin
from ...methods.selection import REJECTED
from ...store import answers, calls, evaluations, images, prompts, runs
from ...store.database import Store, default_store, open_store
from ...store.set_apart import set_apart
from ...tasks.scores.paired import over_tasks
from ...workspace.generalization import Generalization, read_scores, user_prompts
from ...workspace.known import stored_input
from .findings import Difference, Findings
from .recorded import RecordedTask, recorded_search, recorded_tasks
from .replay import replay
from .rescored import CLOSE, Rescoring, judge_replies


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of `runs`, ids of those that were looked at, and what these have paid."""

    runs: Sequence[str]
    findings: Findings
    usage: Usage

    @property
    def well(self) -> bool:
        """Whether everything was looked at and nothing differs."""
        return self.findings.well


async def averify(run: str | None = None, *, store: str | Path | None = None) -> Verification:
    """Find again what a store has on record of a run, by the beginning of its id, or of all its runs.

    No model is asked, and the file stays as it is: a copy of the scores in question is worked on. Raises StoreError when
    there is no such run.
    """
    with open_store(Path(store or default_store())) as found:
        chosen = [runs.find(found.db, run)] if run else runs.all_runs(found.db)
        alone = chosen[0].id if run else None
        with set_apart(found.db, alone, prompts.used(found.db, alone) if alone else ()):
            findings, usage = Findings(), Usage()
            checked: set[str] = set()
            damaged = _check_prompts(found.db, findings, chosen)
            for one in chosen:
                usage.include(calls.usage(found.db, one.id))
                await _Checks(found, one, findings, damaged, checked).all()
            if lost := calls.lost(found.db):
                recorded = f"{calls.count(found.db) + lost} calls"
                findings.differences.append(Difference("", "calls", recorded, f"{lost} of them are gone"))
            return Verification([one.id for one in chosen], findings, usage)


verify = twin_of(averify)


def _check_prompts(db: Database, findings: Findings, chosen: Sequence[runs.Run]) -> frozenset[str]:
    """The ids of prompts whose text is not the one that they were recorded with."""
    used = {id: run.id for run in reversed(chosen) for id in prompts.used(db, run.id)}
    texts = {id: (kind, text) for id, kind, text in prompts.some(db, list(used))}
    damaged = set()
    for id, run in used.items():
        kind, text = texts.get(id, ("system", ""))
        found = Prompt("user" if kind == "user" else "system", text).id if id in texts else "no such prompt"
        if not findings.compare(id, found, Difference(run, "prompt", id, found, pair=id)):
            damaged.add(id)
    return frozenset(damaged)


@dataclass(frozen=True)
class _Checks:
    """What is looked at of one run; evaluations that several share are looked at once."""

    store: Store
    run: runs.Run
    findings: Findings
    damaged: frozenset[str]
    checked: set[str]

    async def all(self) -> None:
        tasks = recorded_tasks(self.store.db, self.run)
        self._examples(tasks)
        self._lineage()
        await self._evaluations(tasks)
        await self._decisions(tasks)
        self._answers()

    def _examples(self, tasks: Mapping[str, RecordedTask]) -> None:
        for name, one in tasks.items():
            for example in one.task.examples.values():
                found = example_id(example.question, example.answers, example.messages, example.row)
                self.findings.compare(example.id, found, Difference(self.run.id, "example", example.id, found, name))
            for hash in one.task.images:
                found = images.content_hash(self.store.db, hash)
                self.findings.compare(hash, found, Difference(self.run.id, "image", hash, found or "no such image", name))

    def _lineage(self) -> None:
        """Every parent is a prompt that the run or an ancestor of it had, and the ancestor is there."""
        db, run = self.store.db, self.run
        if run.parent:
            there = runs.known(db, run.parent) is not None
            self.findings.compare(True, there, Difference(run.id, "lineage", f"parent run {run.parent}", "no such run"))
        every = prompts.ancestry(db, run.id) if not run.parent or runs.known(db, run.parent) else prompts.candidates(db, run.id)
        for row in prompts.candidates(db, run.id):
            if row.parent:
                said = f"round {row.round}, {row.level} {row.position}: parent {row.parent}"
                difference = Difference(run.id, "lineage", said, "no such prompt before it", row.task, row.prompt or "")
                # What a person edits is a candidate of the same round.
                edited = row.reason in (EDITED, REJECTED)
                known = {one.prompt for one in every if one.round < row.round or (edited and one.round == row.round)}
                self.findings.compare(True, row.parent in known, difference)

    def _answers(self) -> None:
        """What a person accepted stands after its round, what they rejected does not, what they wrote is a candidate of it."""
        db, run = self.store.db, self.run.id
        closed = prompts.rounds(db, run)
        stands = {(row.round, row.task, row.user) for row in prompts.standing(db, run)}
        stands |= {(row.round, "", row.system) for row in closed}
        proposed = {(row.round, row.task, row.prompt) for row in prompts.candidates(db, run)}
        rounds = {row.round for row in closed}
        for one in answers.of_run(db, run):
            if one.round in rounds:
                text = one.text if one.decision == "edit" else one.shown["after"]
                prompt = Prompt("user" if one.task else "system", text or "").id
                there = (one.round, one.task, prompt) in (proposed if one.decision == "edit" else stands)
                said, found = (
                    f"{one.decision} in round {one.round}",
                    "the prompt is there" if there else "the prompt is not there",
                )
                self.findings.compare(one.decision != "reject", there, Difference(run, "answer", said, found, one.task, prompt))

    async def _evaluations(self, tasks: Mapping[str, RecordedTask]) -> None:
        db = self.store.db
        by_id = {one.row.task: one for one in tasks.values()}
        used = prompts.used(db, self.run.id)
        texts = {id: text for id, _, text in prompts.some(db, used)}
        judged = judge_replies(db) if any(one.task.spec.metric.kind == "judge" for one in tasks.values()) else {}
        rescoring = Rescoring(db, self.run.id, by_id, texts, self.damaged, judged, self.findings)
        for id in evaluations.of_run(db, self.run.id, used):
            await self._evaluation(id, rescoring)

    async def _evaluation(self, id: str, rescoring: Rescoring) -> None:
        if id in self.checked:
            return
        self.checked.add(id)
        for part in evaluations.parts(self.store.db, id).values():
            await self._evaluation(part, rescoring)
        found = evaluations.evaluation(self.store.db, id)
        if found is None:
            self.findings.compare(1, 0, Difference(self.run.id, "mean", f"evaluation {id}", "no such evaluation"))
        elif found.task in rescoring.tasks:
            await rescoring.check(found)

    async def _decisions(self, tasks: Mapping[str, RecordedTask]) -> None:
        db, closed = self.store.db, prompts.rounds(self.store.db, self.run.id)
        try:
            given = stored_input(self.run.config)
            if not isinstance(given, Generalization):
                return await replay(recorded_search(self.store, self.run, tasks), self.findings)
        except ConfigError as error:
            self.findings.unchecked[f"rounds: {error}"] += len(closed)
            return None
        every = read_scores(db, self.run.id, given, user_prompts(db, self.run.id)) if closed else []
        found = round(over_tasks(every).candidate.value, CLOSE) if every else None
        for row in closed:
            recorded = round(row.score, CLOSE)
            self.findings.compare(recorded, found, Difference(self.run.id, "winner", f"{recorded:g}", f"{found}"))
        return None
