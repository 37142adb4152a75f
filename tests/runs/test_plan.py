"""The plan is an upper bound that a run never passes, and exact where nothing is saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from metaspo import Task, optimize, resume
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan

from ..helpers.endpoint import Endpoint, completion


def test_the_paper_setting(make_task: Callable[..., Task]) -> None:
    config = config_of(
        tasks=[make_task(name, 60) for name in "abcd"], base="openai:b,input_price=1,output_price=0", optimizer="openai:o,input_price=0,output_price=2",
        preset="paper", method="metaspo", test_size=0, proposal_attempts=1,
    )  # fmt: skip
    needs = plan(config)
    calls = {role: sum(need.calls for need in needs if need.role == role) for role in ("base", "optimizer")}
    assert calls == {"base": 18_200, "optimizer": 126}
    base = [need for need in needs if need.role == "base"]
    assert sum(need.cost for need in base) == pytest.approx(sum(need.input_tokens for need in base) / 1e6)
    assert sum(need.cost for need in needs) > sum(need.cost for need in base) > 0


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"method": "metaspo"}, {"method": "metaspo", "validation_size": 6}, {"method": "protegi", "keep": 3},
        {"method": "outer_only"}, {"method": "metaspo", "judging": "staged", "keep": 2}, {"method": "common_first", "preset": "paper"}, {"method": "metaspo", "placebo": True},
        {"method": "common_first", "preset": "paper", "patience": 0, "demonstrations": 2},
        {"method": "common_first", "iterations": 2, "system_steps": 2},
        {"method": "adapt", "keep": 2, "targets": []}, {"method": "metaspo", "curve": True}, {"method": "metaspo", "curve": True, "placebo": True},
        {"method": "metaspo", "judging": "staged", "validation_size": 12, "user_failures": 6}, {"method": "sprig", "keep": 3, "rephrasings": 0},
        {"method": "metaspo", "judging": "staged", "validation_size": 6, "placebo": True},
        {"method": "metaspo", "validation_size": 6, "placebo": True}, {"method": "metaspo_evo", "keep": 2}, {"method": "ape"},
        {"method": "metaspo", "system_prompts": ["Be brief.", "Be kind."]},
    ],
)  # fmt: skip
def test_a_run_stays_within_its_plan(settings: dict[str, object], make_task: Callable[..., Task], store_path: Path) -> None:
    model = "scripted:tests.helpers.scripts:always_wrong"
    config = config_of(
        base=model, optimizer=model, proposal_attempts=1, store=store_path,
        **{
            "tasks": [make_task("a", answer_format="Answer in one word."), make_task("b")], "targets": [make_task("c")],
            "preset": "quick",
        } | settings,
    )  # fmt: skip
    needs = plan(config)
    report = optimize(config).report
    usages = [report.usage, *([report.placebo.usage] if report.placebo else [])]
    assert bool(report.placebo) == config.placebo
    spent = {role: sum(usage.calls.get(role, 0) for usage in usages) for role in ("base", "optimizer")}
    for role in ("base", "optimizer"):
        planned = sum(need.calls for need in needs if need.role == role)
        # Nothing is solved, cached or dropped here but what seeds and winners share in the final test.
        assert spent.get(role, 0) <= planned
        assert role == "base" or spent.get(role, 0) == planned or config.method == "common_first"


@pytest.mark.long
def test_a_person_s_edits_are_in_the_plan(make_task: Callable[..., Task], store_path: Path) -> None:
    model = "scripted:tests.helpers.scripts:uneven"
    config = config_of(
        tasks=[make_task("a"), make_task("b")], base=model, optimizer=model, preset="quick", method="metaspo", approve="both",
        store=store_path,
    )  # fmt: skip
    needs = plan(config)
    assert "each may be edited once" in needs[0].assumes
    result, edits = optimize(config), 0
    while result.request:
        texts = {
            change["task"]: f"Text {edits} of {change['task']}.{chr(10) + '{question}' if change['task'] else ''}"
            for change in result.request["changes"] if not change["edited"]
        }  # fmt: skip
        edits += len(texts)
        tasks = {task: {"decision": "edit", "text": text} for task, text in texts.items() if task}
        answer = {"decision": "edit", "text": texts[""]} if "" in texts else {"decision": "accept", "tasks": tasks}
        result = resume(result.run, answer=answer, store=store_path)
    assert edits and result.stopped is None
    assert result.report.usage.calls["base"] <= sum(need.calls for need in needs if need.role == "base")


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "limits"),
    [
        ("metaspo", {}),
        ("metaspo", {"system_length": 300, "user_length": 200}),
        ("metaspo", {"prompt_length": 100}),
        ("common_first", {}),
        ("protegi", {"system_length": 300, "user_length": 200}),
    ],
)
def test_tokens_stay_within_the_plan_when_prompts_grow(
    method: str, limits: dict[str, int], endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path
) -> None:
    def grow(request: object, body: dict[str, Any], number: int) -> web.Response:
        text = body["messages"][-1]["content"]
        said = "analysis " * 50 if "BEGIN DATA" in text else "wrong"
        if "between <prompt> and </prompt>" in text:
            end = "\n{question}" if "{question} exactly once" in text else ""
            written = (limits.get("system_length", 900) if not end else limits.get("user_length", 900)) - 20
            written = min(written, 2 * limits.get("prompt_length", 1000) - 20)
            said = f"<prompt>{f'Prompt {number} ' + 'x' * (written - 20)}.{end}</prompt>"
        reply = completion(said[: 4 * body["max_tokens"]])
        read = sum(len(message["content"]) for message in body["messages"]) // 4
        reply["usage"] = {"prompt_tokens": read, "completion_tokens": len(said) // 4 + 1}
        return web.json_response(reply)

    endpoint.act = grow
    model = endpoint.spec(max_tokens=300)
    config = config_of(
        tasks=[make_task("a"), make_task("b")], base=model, optimizer=model, preset="paper", method=method, iterations=1,
        train_size=8, validation_size=0, test_size=4, proposal_attempts=1, store=store_path, **limits,
    )  # fmt: skip
    needs = plan(config)
    assert "estimates" in needs[0].assumes and "max_tokens" in needs[0].assumes
    usage = optimize(config).report.usage
    assert usage.input_tokens <= sum(need.input_tokens for need in needs)
    assert usage.output_tokens <= sum(need.output_tokens for need in needs)
