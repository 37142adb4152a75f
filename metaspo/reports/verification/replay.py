"""The rounds of a search taken again by the rules of its method, from what is recorded of candidates and scores."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from ...approval.review import EDITED
from ...graph.edges import candidate_jobs, confirm_jobs, evaluation_jobs, first_jobs, further_jobs, proposal_jobs
from ...methods.failures import drawn
from ...methods.lineage import candidate_rows, kept_pairs
from ...methods.rounds import closed_round
from ...methods.selection import REJECTED, Selected, decide, selected
from ...methods.staging import is_staged, judged_so_far
from ...store import prompts
from ...store.prompts import CandidateRow, KeptPair, RoundRow
from ...workspace.scoring import score_job
from ...workspace.state import Candidate, Incumbent, Job, Kept, State
from .findings import Difference, Findings
from .recorded import NotRecordedError, RecordedSearch


async def replay(workspace: RecordedSearch, findings: Findings) -> None:
    """Take every closed round again and compare what stands after it, and what became of its candidates."""
    db, run = workspace.store.db, workspace.run
    rounds, standing, rows = (
        prompts.rounds(db, run),
        prompts.standing(db, run),
        prompts.candidates(db, run),
    )
    state: State = {}
    for at, closed in enumerate(rounds):
        own = [row for row in rows if row.round == closed.round or (not at and row.round == 0)]
        stood = [pair for pair in standing if pair.round == closed.round]
        workspace.round = closed.round
        try:
            state, after = await _round(workspace, state, closed, own)
        except NotRecordedError as error:
            findings.compare(1, 0, Difference(workspace.run, "round", f"round {closed.round}, {closed.level}", str(error)))
            if rest := len(rounds) - at - 1:
                findings.unchecked["rounds after one that could not be taken again"] += rest
            return
        _compare_round(workspace, findings, closed, state, after)
        _compare_standing(findings, stood, kept_pairs(workspace.run, closed.round, after))
        _compare_candidates(findings, own, candidate_rows(workspace, state, closed_round(workspace, state, after), after))
        state = _next(state, after)


def _next(state: State, after: Selected) -> State:
    kept = {name: list(found) for name, found in after.kept.items()}
    began = state.get("began") or {name: found[0]["score"] for name, found in kept.items()}
    return {"incumbent": after.incumbent, "kept": kept, "beam": list(after.beam), "began": began}


async def _round(
    workspace: RecordedSearch, before: State, closed: RoundRow, rows: Sequence[CandidateRow]
) -> tuple[State, Selected]:
    """The state in which a round closes, and what stands after it."""
    if not before:
        state: State = await _scored(workspace, {}, first_jobs(workspace))
        return state, selected(workspace, state, *decide(workspace, state, {}))
    level: Any = closed.level
    state = {**before, "round": closed.round, "level": level, "scores": [], "judged": [], "stage": 0}
    if level == "confirm":
        state = await _scored(workspace, state, confirm_jobs(workspace, state))
    if level not in ("user", "system"):
        return state, selected(workspace, state, *decide(workspace, state, {}))
    written = [row for row in rows if _is_edit(workspace, state, row)]
    proposed = await _candidates(workspace, state, [row for row in rows if row not in written])
    state = await _judged(workspace, {**state, "candidates": proposed})
    every = await _candidates(workspace, state, written)
    edits = {one["task"]: one for one in every}
    if edits:
        state = {**state, "candidates": [*proposed, *every]}
        state = await _scored(workspace, state, [job for one in every for job in candidate_jobs(workspace, state, one)])
    incumbent, kept = decide(workspace, state, edits)
    return state, selected(workspace, state, *_refused(state, incumbent, kept))


def _is_edit(workspace: RecordedSearch, state: State, row: CandidateRow) -> bool:
    """Whether a person wrote a candidate. One that was rejected after all has come to no stage, where proposals have."""
    return row.reason == EDITED or (row.reason == REJECTED and row.stage is None and is_staged(workspace, state))


def _refused(state: State, incumbent: Incumbent, kept: dict[str, list[Kept]]) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """What stands where a person has rejected what scores would have taken up."""
    refused = {one["task"] for one in state["candidates"] if one["reason"] == REJECTED}
    if "" in refused:
        return state["incumbent"], state["kept"]
    return incumbent, kept | {task: state["kept"][task] for task in refused}


async def _scored(workspace: RecordedSearch, state: State, jobs: Sequence[Job]) -> State:
    """The state with the recorded scores of what jobs ask for."""
    scores = [(await score_job(workspace, job))[1] for job in jobs if job.get("user")]
    return {**state, "scores": [*state.get("scores", []), *scores]}


async def _judged(workspace: RecordedSearch, state: State) -> State:
    """The state with what is known of the round's candidates when all their evidence is in."""
    state = await _scored(workspace, state, await evaluation_jobs(workspace, state))
    while True:
        judged, following = await judged_so_far(workspace, state)
        state = {**state, "judged": judged}
        if following is None:
            return state
        state = {**state, "stage": following}
        state = await _scored(workspace, state, await further_jobs(workspace, state))


async def _candidates(workspace: RecordedSearch, state: State, rows: Sequence[CandidateRow]) -> list[Candidate]:
    """A round's candidates as they were before they were judged, with the failures that they were written from."""
    proposer = workspace.step(state["round"]).proposer
    shown = is_staged(workspace, state) and proposer.meets
    jobs = {(job["task"], job["position"]): job for job in proposal_jobs(workspace, state)} if shown else {}
    texts = prompts.prompt_texts(workspace.store.db, [row.prompt for row in rows if row.prompt])
    found: list[Candidate] = []
    for row in rows:
        # Any other reason than these was given by the rules, and is found again by them.
        reason = row.reason if row.prompt is None or row.reason in (REJECTED, EDITED) else None
        job = jobs.get((row.task, row.position))
        found.append({
            "task": row.task, "position": row.position, "parent": row.parent, "id": row.prompt,
            "text": texts.get(row.prompt or ""), "reason": reason,
            "failures": await drawn(workspace, job, proposer.meets) if job and row.prompt else [],
        })  # fmt: skip
    return found


def _compare_round(workspace: RecordedSearch, findings: Findings, row: RoundRow, state: State, after: Selected) -> None:
    closed = closed_round(workspace, state, after)
    recorded = row.system, round(row.score, 9), row.accepted, row.dropped
    found = closed["incumbent"], round(closed["score"], 9), closed["accepted"], closed["dropped"]
    said = "round {}: system {}, score {:.6g}, {} taken up, {} dropped"
    findings.compare(
        recorded, found,
        Difference(workspace.run, "round", said.format(row.round, *recorded), said.format(row.round, *found)),
    )  # fmt: skip


def _compare_standing(findings: Findings, recorded: Sequence[KeptPair], found: Sequence[KeptPair]) -> None:
    both = [{(pair.task, pair.position): pair for pair in pairs} for pairs in (recorded, found)]
    for task, position in sorted(both[0].keys() | both[1].keys()):
        one, other = (pairs.get((task, position)) for pairs in both)
        some = next(pair for pair in (one, other) if pair)
        what = "kept prompt" if position else "winner"
        difference = Difference(some.run, what, _said(one), _said(other), task, f"{some.system} {some.user}")
        findings.compare(_pair(one), _pair(other), difference)


def _pair(pair: KeptPair | None) -> tuple[object, ...]:
    return (pair.system, pair.user, round(pair.score, 9)) if pair else ()


def _said(pair: KeptPair | None) -> str:
    return f"round {pair.round}: {pair.system} {pair.user} {pair.score:.6g}" if pair else "none"


def _compare_candidates(findings: Findings, recorded: Sequence[CandidateRow], found: Sequence[CandidateRow]) -> None:
    both = [{(row.round, row.level, row.task, row.position): row for row in rows} for rows in (recorded, found)]
    for key in sorted(both[0].keys() | both[1].keys()):
        one, other = (rows.get(key) for rows in both)
        row = next(row for row in (one, other) if row)
        difference = Difference(row.run, "candidate", _fate(one), _fate(other), row.task, row.prompt or "")
        findings.compare(_values(one), _values(other), difference)


def _values(row: CandidateRow | None) -> tuple[object, ...]:
    return tuple(round(value, 9) if isinstance(value, float) else value for value in astuple(row)) if row else ()


def _fate(row: CandidateRow | None) -> str:
    if row is None:
        return "none"
    parts = {name: getattr(row, name) for name in ("score", "stage", "examples", "gain", "reason", "parent")}
    there = {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in parts.items() if value is not None}
    told = [f"{name} {value}" for name, value in there.items()]
    return f"round {row.round}, {row.level} {row.position}: {', '.join([row.status, *told])}"
