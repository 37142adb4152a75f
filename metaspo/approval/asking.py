"""One question to a person, until an answer to it can be used: whose answer counts, and what is put on record.

LangGraph runs the node again from its start for every answer, with all that it got before. So what an answer means
must come out the same each time: from its own words, or from what is on record of it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from langgraph.config import get_config
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from ..compat import answers_before, outer_namespace, resume_map
from ..domain.errors import UserError
from ..store import answers
from ..workspace.search import SearchWorkspace
from ..workspace.state import State
from .answers import Answer, Decision, Decisions, Refused, decisions, name_of, read_answer
from .comparison import Change
from .request import Request, not_asked, request_about, seen, waiting_for

T = TypeVar("T")

UNNAMED = "it does not say which question it answers, and {why}; look at what is asked now and answer that, best with its id"


async def ask(workspace: SearchWorkspace, state: State, changes: list[Change]) -> Decisions:
    """A person's decision by task, with the text of an edit. An answer that cannot be used is asked for again."""
    question = _Question(workspace, request_about(workspace.run, state, changes), first=not state.get("review"))
    request, taken = question.request, 0
    while True:
        given = await question.next_answer(request)
        try:
            found = await question.decided(given, before=taken < question.before)
        except UserError as error:
            by_task = error.by_task if isinstance(error, Refused) else {}
            request = {**question.request, "problem": str(error), "problems": by_task}
        else:
            if found is not None:
                await workspace.go_on()
                return found
            request = {**question.request, "stopped": True}
        taken += 1


@dataclass
class _Question:
    """A request with what this execution of the node knows of its answers.

    `before` is how many of them earlier executions have had: none of those counted, unless the record says so.
    `first` says that it is the first that is asked in its round.
    """

    workspace: SearchWorkspace
    request: Request
    first: bool

    def __post_init__(self) -> None:
        self.settings: Mapping[str, Any] = get_config()["configurable"]
        self.before = answers_before(self.settings)
        self.got = 0

    async def next_answer(self, request: Request) -> Any:
        """The next answer that LangGraph has, or the interrupt that asks for one, once it is on record."""
        try:
            given = interrupt(request)
        except GraphInterrupt:
            # An answer to an interrupt that is gone never gets here.
            if resume_map(self.settings) and self.got == self.before and not self._is_inside and await self._recorded():
                request = {**request, "problem": "the answer was to another interrupt; look at what is asked now"}
            await self._store(answers.ask, self._rows(), self.first)
            await self.workspace.wait(waiting_for(request), stopped=request["stopped"])
            return interrupt(request)
        self.got += 1
        return given

    async def decided(self, given: Any, *, before: bool) -> Decisions | None:
        """What the answer decides, on record from here on; None for stop. Raises UserError for one that cannot be used."""
        answer = read_answer(given, self.request["changes"])
        if answer.id is not None and answer.id != self.request["id"]:
            known = await self._store(answers.answered_by, self.workspace.run, answer.id)
            raise Refused(not_asked(name_of(answer.id), self.request, known))
        found = decisions(self.workspace, self.request["changes"], answer)
        if found is None:
            return None
        person = self._person(answer)
        rows = [_filled(row, found[row.task], person) for row in self._rows()]
        # LangGraph has taken it for this interrupt, by the interrupt's id.
        addressed = any(given is answer for answer in resume_map(self.settings).values())
        if answer.id is None and not addressed:
            await self._check_meant(rows, person, new=not before and not resume_map(self.settings))
        await self._store(answers.answer, rows)
        return found

    async def _check_meant(self, rows: list[answers.Answer], person: str, *, new: bool) -> None:
        """Raise Refused where an answer that names no question may be to one that is not asked any more."""
        known = await self._recorded()
        if not new and _said(known) != _said(rows):
            raise Refused(UNNAMED.format(why="it was refused when it came"))
        if any(row.decision for row in known):
            return  # It counted, or another one did, in an execution that came to no end.
        if not known:
            raise Refused(UNNAMED.format(why="none had been asked yet"))
        if (sent := _sent(self.settings)) and sent < known[0].created:
            raise Refused(UNNAMED.format(why="it was sent before this one was asked"))
        last = await self._store(answers.newest, self.workspace.run)
        if last is not None and person not in (last.person or "", known[0].person):
            await self._store(answers.tell, self.workspace.run, self.request["id"], person)
            raise Refused(UNNAMED.format(why=f"{last.person or 'somebody else'} has answered the one before"))

    async def _recorded(self) -> list[answers.Answer]:
        return await self._store(answers.of_request, self.workspace.run, self.request["id"])

    def _rows(self) -> list[answers.Answer]:
        request, moment = self.request, _moment(datetime.now(UTC))
        return [
            answers.Answer(
                request["run"], request["id"], request["round"], request["level"], change["task"], "", None, None, moment,
                seen(change),
            )
            for change in request["changes"]
        ]  # fmt: skip

    def _person(self, answer: Answer) -> str:
        """Who answers: whom the server has authenticated, with whom the answer names behind it; "" for nobody."""
        user, named = self.settings.get("langgraph_auth_user"), name_of(answer.person or "")
        told = (
            user
            if isinstance(user, Mapping)
            else {name: getattr(user, name, None) for name in ("identity", "is_authenticated")}
        )
        known = name_of(told.get("identity") or "")
        if named and known and told.get("is_authenticated") is not False:
            return f"{known} ({named})"
        return named or known

    async def _store(self, work: Callable[..., T], *args: object) -> T:
        return await self.workspace.store.run(work, *args)

    @property
    def _is_inside(self) -> bool:
        """Whether the interrupt is inside another graph, which may have more of them."""
        return bool(outer_namespace(self.settings.get("checkpoint_ns", "")))


def _filled(row: answers.Answer, decision: Decision, person: str) -> answers.Answer:
    return replace(row, decision=decision.decision, text=decision.text or decision.message, person=person or None)


def _said(rows: list[answers.Answer]) -> set[tuple[str, str, str | None]]:
    return {(row.task, row.decision, row.text) for row in rows}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _sent(settings: Mapping[str, Any]) -> str | None:
    """When a server took an answer in, which may have waited for other work: its run's id begins with the time."""
    try:
        id = uuid.UUID(str(settings.get("run_id")))
    except ValueError:
        return None
    return _moment(datetime.fromtimestamp((id.int >> 80) / 1000, UTC)) if id.version == 7 else None
