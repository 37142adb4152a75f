"""Runs whose optimizer is asked with a person's own prompts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.cli.show import run as show_run
from metaspo.domain.errors import ConfigError
from metaspo.graph import bilevel
from metaspo.prompts.own import short_hashes
from metaspo.prompts.renderer import VARIABLES
from metaspo.reports.compare import compare
from metaspo.reports.report import open_report
from metaspo.runs.config import config_of, read_config
from metaspo.runs.plan import plan
from metaspo.studies.batch import Planned
from metaspo.studies.cut import cut
from metaspo.studies.generalize import generalization_config, generalize
from metaspo.studies.study import plan_study, read_study

DICE = "scripted:dice"
SEARCH: dict[str, Any] = {"base": DICE, "optimizer": DICE, "preset": "quick", "method": "metaspo", "test_size": 8}
MARK = "As my own laboratory asks it."


def own(*names: str) -> dict[str, str]:
    """Prompts of one's own by these names, each with a mark that ours do not have."""
    return {
        name: f"{MARK} {' '.join(f'[[{v}]]' for v in sorted(VARIABLES[name]))} {{question}} <prompt></prompt>" for name in names
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    for name, text in own("analyze_user", "propose_system").items():
        (made / f"{name}.md").write_text(text, encoding="utf-8")
    return made


def asked(store: Path, run: str | None = None) -> dict[bool, int]:
    """How many requests to the optimizer have the mark, and how many do not."""
    rows = sqlite_utils.Database(store).query("SELECT run, request FROM calls WHERE role <> 'base'")
    marked = [MARK in row["request"] for row in rows if run in (None, row["run"])]
    return {there: marked.count(there) for there in (True, False)}


def test_a_folder_takes_the_place_of_ours(make_task: Callable[..., Task], store_path: Path, folder: Path) -> None:
    result = metaspo.optimize(tasks=[make_task("a")], **SEARCH, optimizer_prompts=folder, store=store_path)
    assert all(asked(store_path).values())
    requests = [
        row["request"] for row in sqlite_utils.Database(store_path).query("SELECT request FROM calls WHERE role <> 'base'")
    ]
    assert any("Write a better user prompt" in text for text in requests), "what the folder lacks is ours"
    assert not any("Write a better system prompt" in text for text in requests)
    assert result.report.optimizer_prompts == short_hashes(own("analyze_user", "propose_system"))
    stored = json.loads(next(sqlite_utils.Database(store_path).query("SELECT config FROM runs"))["config"])
    assert stored["problem"]["optimizer_prompts"] == own("analyze_user", "propose_system")
    assert str(folder) not in json.dumps(stored), "the texts are the run's, not the folder"


def test_a_run_goes_on_with_the_prompts_that_it_began_with(
    make_task: Callable[..., Task], store_path: Path, folder: Path, tmp_path: Path
) -> None:
    settings = {**SEARCH, "tasks": [make_task("a")], "optimizer_prompts": folder}
    whole = metaspo.optimize(**settings, store=tmp_path / "whole.db")
    begun = metaspo.optimize(**settings, store=store_path, budget={"calls": 70})
    (folder / "analyze_user.md").write_text("now it is broken", encoding="utf-8")
    (folder / "propose_system.md").unlink()
    ended = metaspo.resume(begun.run, store=store_path, **{"budget.calls": 5000})
    assert ended.stopped is None and ended.system_prompt == whole.system_prompt
    keys = [
        {row["key"] for row in sqlite_utils.Database(path).query("SELECT key FROM calls")}
        for path in (store_path, tmp_path / "whole.db")
    ]
    assert keys[0] == keys[1]
    with pytest.raises(ConfigError, match="optimizer_prompts is part of what a run optimizes"):
        metaspo.resume(begun.run, store=store_path, optimizer_prompts=folder)


@pytest.mark.long
def test_a_branch_keeps_them_or_has_others(make_task: Callable[..., Task], store_path: Path, folder: Path) -> None:
    first = metaspo.optimize(tasks=[make_task("a")], **SEARCH, optimizer_prompts=folder, store=store_path)
    kept = metaspo.branch(first.run, at=0, store=store_path)
    assert kept.report.optimizer_prompts == first.report.optimizer_prompts
    other = metaspo.branch(first.run, at=0, store=store_path, optimizer_prompts=own("again"))
    assert other.report.optimizer_prompts == short_hashes(own("again"))
    none = CliRunner().invoke(
        main, ["branch", first.run, "--at", "0", "--store", str(store_path), "--set", "optimizer_prompts=", "--json"]
    )
    assert none.exit_code == 0 and json.loads(none.output)["optimizer_prompts"] == {}
    differs = compare(open_report(store_path, first.run), open_report(store_path, other.run))["settings"]["optimizer_prompts"]
    assert differs[1] == " ".join(next(iter(other.report.optimizer_prompts.items())))


def test_runs_without_any_have_the_ids_that_they_had(make_task: Callable[..., Task], store_path: Path) -> None:
    shared = {**SEARCH, "tasks": [make_task("a")], "store": str(store_path)}
    plain, empty, mine = (
        config_of(**shared, **more) for more in ({}, {"optimizer_prompts": {}}, {"optimizer_prompts": own("again")})
    )
    assert "optimizer_prompts" not in plain.problem().model_dump() and "optimizer_prompts" not in plain.model_dump_json()
    ids = [Planned("x", one.problem(), one.context()).run for one in (plain, empty, mine)]
    assert ids[0] == ids[1] != ids[2]
    assert mine.problem().model_dump()["optimizer_prompts"] == own("again")


@pytest.mark.long
def test_every_method_asks_with_them(make_task: Callable[..., Task], store_path: Path) -> None:
    every = own(*(name for name in VARIABLES if not name.startswith("judge")))
    for method in ("metaspo", "ape", "metaspo_ape", "metaspo_evo", "sprig", "common_first"):
        shared: dict[str, Any] = {
            **SEARCH,
            "method": method,
            "preset": "paper",
            "train_size": 6,
            "iterations": 1,
            "rephrasings": 2,
        }
        made = metaspo.optimize(tasks=[make_task("a")], **shared, optimizer_prompts=every, store=store_path)
        found = asked(store_path, made.run)
        assert found[True] and not found[False], method


def test_a_generalization_induces_with_them(
    make_task: Callable[..., Task], store_path: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "induce_user.md").write_text(own("induce_user")["induce_user"], encoding="utf-8")
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be exact.", encoding="utf-8")
    given = {"tasks": [make_task("a")], "base": DICE, "optimizer": DICE, "prompts": 2, "train_size": 12, "test_size": 8,
        "optimizer_prompts": str(folder),
    }  # fmt: skip
    report = generalize(generalization_config(str(prompt), given, store=str(store_path)))
    assert asked(store_path) == {True: 2, False: 0} and "induce_user" in report.optimizer_prompts


def test_a_config_names_its_folder_beside_itself(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (tmp_path / "run.yaml").write_text("optimizer_prompts: mine\n", encoding="utf-8")
    assert read_config(tmp_path / "run.yaml").optimizer_prompts == own("analyze_user", "propose_system")
    (tmp_path / "study.yaml").write_text(
        "methods: [metaspo, {name: mine, method: metaspo, optimizer_prompts: mine}]\nconfig: {base: 'scripted:dice'}\n",
        encoding="utf-8",
    )
    _, study = read_study(str(tmp_path / "study.yaml"))
    cells = plan_study(study)
    assert [bool(cell.search.problem.optimizer_prompts) for cell in cells] == [False, True]
    changed = cut(study, {"optimizer_prompts": "../mine"}, {})
    assert changed.config["optimizer_prompts"] == own("analyze_user", "propose_system")


def test_a_mistake_is_told_before_any_call(folder: Path, store_path: Path) -> None:
    (folder / "propose_user.md").write_text("[[system_prompt]]\n[[anlysis]]", encoding="utf-8")
    given = ["optimize", "--base", DICE, "--store", str(store_path), "--optimizer-prompts", str(folder)]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2 and not store_path.exists()
    assert f"{folder / 'propose_user.md'}:2: unknown variable [[anlysis]]; did you mean [[analysis]]?" in result.output


def test_a_server_is_given_texts_and_reads_no_path(folder: Path) -> None:
    with pytest.raises(ConfigError, match="optimizer_prompts: expected texts by name"):
        metaspo.Problem.model_validate({"optimizer_prompts": str(folder)})
    with pytest.raises(ConfigError, match="again, line 1: unknown variable"):
        metaspo.Problem.model_validate({"optimizer_prompts": {"again": "[[complaint]] [[x]]"}})
    assert bilevel.graph.get_input_jsonschema()["properties"]["optimizer_prompts"]["additionalProperties"] == {"type": "string"}


async def test_the_graph_takes_texts(make_task: Callable[..., Task], store_path: Path) -> None:
    task = make_task("a").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    given = {"tasks": [task], "method": "metaspo", "preset": "quick", "optimizer_prompts": own("analyze_user")}
    context = metaspo.Context.model_validate({"base": DICE, "optimizer": DICE, "store": str(store_path)})
    await bilevel.graph.ainvoke(given, context=context)
    assert asked(store_path)[True]


def test_the_plan_allows_for_long_ones(make_task: Callable[..., Task], store_path: Path) -> None:
    shared = {**SEARCH, "tasks": [make_task("a")], "store": str(store_path)}
    text = own("analyze_user")["analyze_user"] + "x" * 40_000
    before, after = (
        {(need.role, need.level): need for need in plan(config_of(**shared, **more))}
        for more in ({}, {"optimizer_prompts": {"analyze_user": text}})
    )
    need = after["optimizer", "user"]
    assert need.input_tokens - before["optimizer", "user"].input_tokens >= need.calls * 10_000


def test_show_says_whose_prompts_they_are(
    make_task: Callable[..., Task], store_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = metaspo.optimize(tasks=[make_task("a")], **SEARCH, optimizer_prompts=own("again"), store=store_path)
    show_run(open_report(store_path, made.run))
    shown = " ".join(capsys.readouterr().out.split())
    assert f"optimizer prompts of its own: again ({short_hashes(own('again'))['again']})" in shown


def test_the_command_writes_ours_as_a_start(tmp_path: Path) -> None:
    written = CliRunner().invoke(main, ["prompts", str(tmp_path / "start")])
    assert written.exit_code == 0 and (tmp_path / "start" / "propose_user.md").exists()
    again = CliRunner().invoke(main, ["prompts", str(tmp_path / "start")])
    assert again.exit_code == 2 and "exists already" in again.output
