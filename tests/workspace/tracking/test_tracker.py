"""Runs that are tracked: in a real MLflow server while they are at work, and at no cost where there is none."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from click.testing import CliRunner
from mlflow import MlflowClient

import metaspo
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError, MissingExtraError
from metaspo.workspace.serving import serve_by
from metaspo.workspace.tracking import tracker as tracking
from metaspo.workspace.tracking.mlflow_runs import MLflowRun, Told, TrackedRun

from ...helpers.endpoint import Endpoint

pytestmark = pytest.mark.long

MODELS = {"base": "scripted:dice", "optimizer": "scripted:dice"}
SIZES = {"method": "outer_only", "preset": "quick", "train_size": 8, "test_size": 8, "system_candidates": 2}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "_left", tracking.PATIENCE)


@pytest.fixture
def optimized(store_path: Path, make_task: Callable[..., metaspo.Task]) -> Callable[..., metaspo.Result]:
    def run(**settings: Any) -> metaspo.Result:
        given = {"tasks": [make_task("a"), make_task("b")], "store": store_path, **MODELS, **SIZES, **settings}
        return metaspo.optimize(**given)

    return run


@pytest.fixture
def experiment() -> str:
    return f"e {uuid4().hex[:8]} 票"


def tracked(experiment: str) -> list[Any]:
    found = MlflowClient().get_experiment_by_name(experiment)
    return list(MlflowClient().search_runs([found.experiment_id])) if found else []


def figures(run: Any, name: str) -> dict[int, float]:
    return {one.step: one.value for one in MlflowClient().get_metric_history(run.info.run_id, name)}


def test_rounds_and_scores_are_told(mlflow_uri: str, optimized: Callable[..., metaspo.Result], experiment: str) -> None:
    result = optimized(track=f"mlflow:{experiment}")
    [run] = tracked(experiment)
    report = result.report
    assert (run.info.run_name, run.info.status, run.data.tags["metaspo_run"]) == (result.run, "FINISHED", result.run)
    told = {row.round: row.score for row in report.rounds if row.level not in ("test", "confirm")}
    assert figures(run, "score") == pytest.approx(told) and len(told) > 1
    calls = figures(run, "calls")
    assert [*calls] == [row.round for row in report.rounds] and sorted(calls.values()) == [*calls.values()]
    assert calls[report.rounds[-1].round] == report.usage.total_calls
    source = next(task for task in report.tasks if task.name == "a")
    assert run.data.metrics["test_before/a"] == pytest.approx(source.before)
    # Whatever the prompt, this model's replies hold no answer to these tasks.
    assert set(figures(run, "unparsed").values()) == {source.unparsed_after} == {1.0}
    assert run.data.metrics["test_after/a"] == pytest.approx(source.after)
    params = run.data.params
    assert (params["method"], params["base"], params["tasks"], params["train_size"]) == (
        "outer_only",
        "scripted:dice",
        "a, b",
        "8",
    )
    assert run.data.tags["metaspo_verdict"] == report.verdict and "metaspo_parent" not in run.data.tags


def test_a_run_that_goes_on_does_so_there_and_a_branch_is_its_own(
    mlflow_uri: str, optimized: Callable[..., metaspo.Result], experiment: str, store_path: Path
) -> None:
    stopped = optimized(track=f"mlflow:{experiment}", budget={"calls": 60})
    assert stopped.stopped is not None
    [first] = tracked(experiment)
    assert (first.info.status, first.data.tags["metaspo_status"]) == ("KILLED", "stopped")
    done = metaspo.resume(stopped.run, store=store_path, **{"budget.calls": 10_000}, optimizer="scripted:novice")
    assert done.stopped is None
    [again] = tracked(experiment)
    assert (again.info.run_id, again.info.status) == (first.info.run_id, "FINISHED")
    assert set(figures(again, "score")) == {row.round for row in done.report.rounds if row.level not in ("test", "confirm")}
    branch = metaspo.branch(done.run, at=1, store=store_path, seed=5)
    own = next(run for run in tracked(experiment) if run.info.run_name == branch.run)
    assert own.data.tags["metaspo_parent"] == done.run and own.data.tags["mlflow.parentRunId"] == first.info.run_id


def test_it_is_no_part_of_what_a_run_is(
    mlflow_uri: str, optimized: Callable[..., metaspo.Result], experiment: str, store_path: Path
) -> None:
    plain = optimized(budget={"calls": 60})
    other = metaspo.resume(plain.run, store=store_path, track=f"mlflow:{experiment}", **{"budget.calls": 10_000})
    again = optimized(track=f"mlflow:{experiment}")
    assert again.report.usage.total_calls == 0 and again.system_prompt == other.system_prompt
    assert {run.info.run_name for run in tracked(experiment)} == {plain.run, again.run}
    off = metaspo.resume(again.run, store=store_path, track="none")
    assert off.report.run.config["context"]["track"] == ""


def test_standard_output_is_the_commands_own(mlflow_uri: str, experiment: str, store_path: Path) -> None:
    command = [
        "optimize",
        "--task",
        "app_reviews",
        "--base",
        "scripted:dice",
        "--optimizer",
        "scripted:dice",
        "--preset",
        "quick",
    ]
    sizes = ["--set", "test_size=4", "--set", "train_size=4", "--store", str(store_path)]
    done = CliRunner().invoke(main, [*command, *sizes, "--track", f"mlflow:{experiment}", "--json"])
    assert done.exit_code == 0, done.output
    [run] = tracked(experiment)
    assert json.loads(done.stdout)["run"]["id"] == run.info.run_name and run.info.status == "FINISHED"


async def test_a_graph_that_is_called_without_us_is_tracked_too(
    mlflow_uri: str, experiment: str, store_path: Path, make_task: Callable[..., metaspo.Task]
) -> None:
    context = metaspo.Context(**MODELS, store=str(store_path), track=f"mlflow:{experiment}")
    given = {"tasks": [make_task("a").model_dump(mode="json", by_alias=True)], **SIZES}
    async with metaspo.opened():
        await metaspo.build_graph().ainvoke(given, context=context)
    until = time.monotonic() + 20
    while not (found := await asyncio.to_thread(tracked, experiment)) or found[0].info.status != "FINISHED":
        assert time.monotonic() < until, found
        await asyncio.sleep(0.2)
    assert len(figures(found[0], "score")) > 1


class Failing(Endpoint):
    """Answers everything that MLflow's client asks as `how` does."""

    def __init__(self, how: Callable[[], Any]) -> None:
        self.how, self.asked = how, 0
        super().__init__()

    def routes(self, app: web.Application) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.asked += 1
            answer = self.how()
            return await answer if asyncio.iscoroutine(answer) else answer

        app.router.add_route("*", "/api/{rest:.*}", handle)


FAULTS: dict[str, Callable[[], Any]] = {
    "slow": lambda: asyncio.sleep(60, web.Response()),
    "refusing": lambda: web.json_response(
        {"error_code": "PERMISSION_DENIED", "message": "no sk-12345678901234567890"}, status=403
    ),
    "wrong": lambda: web.Response(text="<html>hello</html>"),
    "down": lambda: web.Response(status=503),
}


@pytest.mark.parametrize("fault", [*FAULTS, "gone"])
def test_a_server_that_fails_costs_the_run_nothing(
    fault: str, optimized: Callable[..., metaspo.Result], store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Failing(FAULTS.get(fault, web.Response))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.port}")
    if fault == "gone":
        server.stop()
    notes: list[str] = []
    ended: list[float] = []

    def listen(event: Any) -> None:
        if event["event"] == "noted" and "MLflow" in event["text"]:
            notes.append(event["text"])
        if event["event"] == "round_closed":
            ended.append(time.monotonic())

    try:
        result = optimized(track="mlflow", listener=listen)
        late = time.monotonic() - ended[-1]
        assert result.stopped is None and result.report.run.status == "done"
        assert len(notes) == 1 and "the run itself goes on without it" in notes[0] and "sk-123" not in notes[0]
        # What a report takes to be read is in this too.
        assert late < tracking.PATIENCE + 3
        if fault != "gone":
            assert server.asked
    finally:
        if fault == "gone":
            server.start()
        server.close()


async def test_after_an_outage_the_newest_rounds_are_told(
    mlflow_uri: str, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, fail = threading.Event(), threading.Event()

    class Flaky(MLflowRun):
        def tell(self, told: Sequence[Told]) -> None:
            if told and not fail.is_set():
                failing.set()
                fail.wait(30)
                raise ConnectionError("gone")
            super().tell(told)

    monkeypatch.setattr(tracking, "MLflowRun", Flaky)
    monkeypatch.setattr(tracking, "MOST", 3)
    tracker = tracking.Tracker(TrackedRun("a-run", None, experiment, {}, {}), lambda _: None)

    def closed(round: int) -> None:
        spent = {"calls": round, "cost": None}
        tracker.tell({"event": "round_closed", "round": round, "level": "user", "score": 0.5, "accepted": 0, "dropped": 0,
                      "spent": spent})  # fmt: skip

    closed(1)
    assert await asyncio.to_thread(failing.wait, 60)
    for round in (2, 3, 4):
        closed(round)
    fail.set()
    await asyncio.sleep(0.2)
    closed(5)
    until = time.monotonic() + 20
    while 5 not in (told := await asyncio.to_thread(lambda: figures(tracked(experiment)[0], "score"))):
        assert time.monotonic() < until, told
        await asyncio.sleep(0.1)
    await tracker.close(Told(status="done"))
    assert set(told) == {3, 4, 5}


@pytest.mark.parametrize("track", ["mflow", "mlflow:", "http://host", 3])
def test_what_is_no_place_is_refused(track: Any, optimized: Callable[..., metaspo.Result]) -> None:
    with pytest.raises(ConfigError, match="is no place to track a run; write mlflow, mlflow:EXPERIMENT or none"):
        optimized(track=track)


def test_what_is_missing_is_said_before_any_call(
    optimized: Callable[..., metaspo.Result], store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError, match="track: mlflow: no server is named; set MLFLOW_TRACKING_URI"):
        optimized(track="mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaspo\[mlflow\]'"):
        optimized(track="mlflow")


def test_a_client_of_a_server_names_no_tracker() -> None:
    serve_by({"METASPO_SERVE_MODELS": "small=scripted:dice"})
    try:
        with pytest.raises(ConfigError, match="track: this server takes none from clients"):
            metaspo.Context.model_validate({"track": "mlflow:theirs"})
    finally:
        serve_by({"METASPO_SERVE_TRUST": "1"})
