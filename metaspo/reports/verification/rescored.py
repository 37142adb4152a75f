"""Outcomes found again from recorded replies, and means from outcomes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sqlite_utils import Database

from ...domain.calls import Reply
from ...domain.errors import TaskError
from ...domain.messages import as_data
from ...domain.results import Counting, Evaluation, Example, Outcome
from ...domain.several import combined
from ...store import calls, evaluations
from ...workspace.scoring import Answered, Messages, outcome_of
from .findings import Difference, Findings
from .recorded import RecordedTask

CLOSE = 9
"""Decimals to which scores are compared: the same scores summed in another order differ in their last digits."""


class _LostReplyError(Exception):
    """A judge's reply is not in the store."""


@dataclass(frozen=True)
class Rescoring:
    """What evaluations of a run are scored again with. `judged` holds the replies of judges by what these were asked."""

    db: Database
    run: str
    tasks: Mapping[str, RecordedTask]
    texts: Mapping[str, str]
    damaged: frozenset[str]
    judged: Mapping[str, Sequence[Reply]]
    findings: Findings

    async def check(self, evaluation: Evaluation) -> None:
        """Find an evaluation's outcomes and its mean again.

        What differs is put right in `db`, a copy, so that one wrong row is told once and not again in all
        that followed from it: of what is recorded and what is found, that holds which the recorded mean agrees with.
        """
        task = self.tasks[evaluation.task]
        if evaluation.counting:
            return self._check_combined(evaluation, evaluation.counting)
        known = dict(zip((o.call for o in evaluation.outcomes), self._replies(evaluation), strict=True))
        requests = calls.requests(self.db, [outcome.call for outcome in evaluation.outcomes])
        found = [await self._outcome(evaluation, task, o, known[o.call], requests.get(o.call)) for o in evaluation.outcomes]
        if any(outcome.example not in task.task.examples for outcome in evaluation.outcomes) or not found:
            return
        means = [round(task.task.aggregate(outcomes), CLOSE) for outcomes in (evaluation.outcomes, found)]
        recorded = round(evaluation.score, CLOSE)
        if recorded == means[0]:
            self.findings.checked["mean"] += 1
        elif recorded == means[1]:
            self.findings.checked["mean"] += 1
            evaluations.put_right(self.db, evaluation.id, evaluation.score, found)
        else:
            self.findings.compare(recorded, means[1], self._difference(evaluation, "mean", f"{recorded:g}", f"{means[1]:g}"))
            evaluations.put_right(self.db, evaluation.id, means[1], found)
        self._counts(evaluation)

    def _check_combined(self, evaluation: Evaluation, counting: Counting) -> None:
        """The same for one that combines others, which have been looked at before it."""
        if len(evaluation.parts) < len(evaluations.parts(self.db, evaluation.id)):
            return  # Those that are gone are told by themselves.
        found = combined(evaluation.id, counting, evaluation.parts)
        for recorded, now in zip_longest(evaluation.outcomes, found.outcomes):
            one = recorded or now
            said = (_said(recorded) if recorded else "none", _said(now) if now else "none")
            first, second = (outcome and (outcome.call, *_told(outcome)) for outcome in (recorded, now))
            self.findings.compare(first, second, self._difference(evaluation, "outcome", *said, one))
        recorded_mean, mean = round(evaluation.score, CLOSE), round(found.score, CLOSE)
        self.findings.compare(recorded_mean, mean, self._difference(evaluation, "mean", f"{recorded_mean:g}", f"{mean:g}"))
        evaluations.put_right(self.db, evaluation.id, found.score, found.outcomes)
        self._counts(found)

    def _counts(self, evaluation: Evaluation) -> None:
        """The counts that stand beside a mean."""
        recorded = evaluations.counts(self.db, evaluation.id)
        found = len(evaluation.outcomes), len(evaluation.failures), evaluation.unparsed
        if recorded != found and not any(one.pair == _pair(evaluation) for one in self.findings.differences):
            said = "{} examples, {} wrong, {} unparsed"
            self.findings.differences.append(self._difference(evaluation, "mean", said.format(*recorded), said.format(*found)))

    def _replies(self, evaluation: Evaluation) -> list[Reply | None]:
        return calls.find(self.db, [outcome.call for outcome in evaluation.outcomes])

    async def _outcome(
        self, evaluation: Evaluation, task: RecordedTask, recorded: Outcome, reply: Reply | None, asked: Messages | None
    ) -> Outcome:
        """The outcome that a reply comes to now; the recorded one where that cannot be said."""
        findings, example = self.findings, task.task.examples.get(recorded.example)
        if example is None:
            findings.compare(1, 0, self._difference(evaluation, "example", recorded.example, "no such example", recorded))
            return recorded
        if reply is None:
            findings.compare(1, 0, self._difference(evaluation, "reply", recorded.call, "no such call", recorded))
            return recorded
        if not self._is_about(evaluation, task, example, asked):
            said = "the call asked something else"
            findings.compare(1, 0, self._difference(evaluation, "reply", recorded.call, said, recorded))
            return recorded
        if task.unreadable:
            findings.unchecked[f"outcomes of task '{task.row.name}': {task.unreadable}"] += 1
            return recorded
        try:
            found = await self._scored(task, example, recorded, Answered(recorded.call, asked or (), reply))
        except TaskError as error:
            findings.unchecked[f"outcomes of task '{task.row.name}': {error}"] += 1
            return recorded
        except _LostReplyError:
            findings.compare(1, 0, self._difference(evaluation, "reply", "a grade", "no such call of the judge", recorded))
            return recorded
        findings.compare(
            _told(recorded), _told(found), self._difference(evaluation, "outcome", _said(recorded), _said(found), recorded)
        )
        return found

    def _is_about(self, evaluation: Evaluation, task: RecordedTask, example: Example, asked: Messages | None) -> bool:
        if {evaluation.system, evaluation.user} & self.damaged:
            return True  # What was asked is not known any more; the prompt itself is told as damaged.
        messages = task.task.messages(self.texts[evaluation.system], self.texts[evaluation.user], example)
        return list(asked or ()) == list(messages)

    async def _scored(self, task: RecordedTask, example: Example, recorded: Outcome, answered: Answered) -> Outcome:
        """The outcome by a judge's first reply, or by the one that gives what is recorded: several may have been asked."""
        grades: Sequence[Reply] = ()
        first: Outcome | None = None
        at = 0

        async def graded(messages: Messages) -> Reply:
            nonlocal grades
            grades = self.judged.get(asked_of(messages), ())
            if not grades:
                raise _LostReplyError
            return grades[at]

        while True:
            found = await outcome_of(task.task, example, answered, graded)
            first, at = first or found, at + 1
            if _told(found) == _told(recorded) or at >= len(grades):
                return found if _told(found) == _told(recorded) else first

    def _difference(
        self, evaluation: Evaluation, what: str, recorded: str, found: str, outcome: Outcome | None = None
    ) -> Difference:
        name, example = self.tasks[evaluation.task].row.name, outcome.example if outcome else ""
        return Difference(self.run, what, recorded, found, name, _pair(evaluation), example)


def _pair(evaluation: Evaluation) -> str:
    return f"{evaluation.system} {evaluation.user}"


def _told(outcome: Outcome) -> tuple[object, ...]:
    return outcome.answer, round(outcome.score, CLOSE), outcome.failed, outcome.graded


def _said(outcome: Outcome) -> str:
    came = "ungraded" if not outcome.graded else "wrong" if outcome.failed else "right"
    return f"{outcome.answer!r} {outcome.score:g} {came}"


def asked_of(messages: Messages) -> str:
    """Messages as one text."""
    return json.dumps([as_data(message) for message in messages], ensure_ascii=False)


def judge_replies(db: Database) -> dict[str, list[Reply]]:
    """The replies of judges by what they were asked."""
    keys = calls.keys_of(db, "judge")
    asked, found = calls.requests(db, keys), calls.find(db, keys)
    replies: dict[str, list[Reply]] = {}
    for key, reply in zip(keys, found, strict=True):
        if reply is not None:
            replies.setdefault(asked_of(asked[key]), []).append(reply)
    return replies
