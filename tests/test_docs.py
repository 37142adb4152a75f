"""The docs are true: their examples run, their tables name what there is."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from metaspo import ModelSpec, optimize
from metaspo.domain.errors import ConfigError
from metaspo.graph.bilevel import graph
from metaspo.models.price_list import PriceList
from metaspo.runs.config import config_of
from metaspo.store.database import Store
from metaspo.studies.study import Study, plan_study
from metaspo.tasks.documents import check
from metaspo.tasks.spec import TaskSpec
from metaspo.workspace.settings import PRESETS, Settings

from .helpers import cli_page

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def cases(language: str) -> list[object]:
    found = [(page, block) for page in PAGES for block in blocks(page, language)]
    return [pytest.param(block, id=f"{page.stem}-{at}") for at, (page, block) in enumerate(found)]


@pytest.mark.long
@pytest.mark.parametrize("code", cases("python"))
def test_python_examples_run(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "example", "exec"), {})
    assert "{question}" in capsys.readouterr().out


def test_the_readmes_example_shows_a_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    [code] = blocks(ROOT / "README.md", "python")
    exec(compile(code, "example", "exec"), known)
    [task] = known["result"].report.tasks
    before, after = map(int, re.findall(r"(\d+)%", capsys.readouterr().out))
    assert (before, after) == (round(100 * task.before), round(100 * task.after)) and after >= before + 15
    assert known["result"].report.verdict == "confirmed"


@pytest.mark.slow
def test_the_readmes_example_passes_a_strict_type_checker_that_knows_no_pydantic(tmp_path: Path) -> None:
    [code] = blocks(ROOT / "README.md", "python")
    objects = (
        'spec = metaspo.ModelSpec(provider="openai", name="m", temperature=0)',
        'config = metaspo.RunConfig(tasks=["a"], base=spec, train_size=3)',
        'problem, context = metaspo.Problem(tasks=["a"]), metaspo.Context(base="scripted:dice")',
        "found: str = result.system_prompt",
        "wrong: int = result.system_prompt",
    )
    (tmp_path / "script.py").write_text("\n".join([code, *objects]))
    # As with an installed package: only what is wrong in the script itself is told.
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", "script.py"]
    cache = ["--cache-dir", str(ROOT / ".mypy_cache" / "readme")]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run([*command, *cache], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    [error, _] = done.stdout.splitlines()
    assert f"script.py:{len(code.splitlines()) + 1 + len(objects)}: error: Incompatible types in assignment" in error


@pytest.mark.parametrize("text", cases("yaml"))
def test_yaml_examples_are_valid(text: str) -> None:
    data = yaml.safe_load(text)
    if "methods" in data:
        plan_study(Study.model_validate(data))
    elif "prices" in data:
        check(PriceList, data, ConfigError)
    elif "user_prompt" in data:
        TaskSpec.model_validate(data)
    else:
        config_of(**data)


@pytest.mark.long
def test_the_queries_answer(tmp_path: Path) -> None:
    result = optimize(method="metaspo", base="scripted:dice", optimizer="scripted:dice", store=tmp_path / "m.db", test_size=20)
    store = Store(tmp_path / "m.db")
    queries = blocks(ROOT / "docs" / "store.md", "sql")
    answers = [store.db.execute(query).fetchall() for query in queries]
    tables = {*store.db.table_names(), *store.db.view_names()}
    store.close()
    assert len(queries) == 6 and all(answers)
    wrong = sum(round(task.examples * (1 - task.after)) for task in result.report.tasks if task.role == "source")
    assert len(answers[0]) == wrong
    assert len(answers[5]) == sum(task.examples for task in result.report.tasks if task.role == "source")
    assert [row[0] for row in answers[1]] == [row.round for row in result.report.rounds]
    assert sum(row[2] for row in answers[3]) == result.report.usage.total_calls
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "store.md").read_text().split("\n\n")[1]))
    assert told == {name for name in tables if not name.startswith("_")}


def test_the_page_of_the_command_line_is_what_the_commands_say() -> None:
    assert cli_page.PAGE.read_text(encoding="utf-8") == cli_page.page(), "run: python -m tests.helpers.cli_page"


def test_the_picture_in_the_readme_is_the_graph() -> None:
    [picture] = blocks(ROOT / "README.md", "mermaid")
    names = {"start": "__start__", "finish": "__end__"}
    drawn = {(names.get(a, a), names.get(b, b)) for a, b in re.findall(r"(\w+)(?:\(.*?\))? --.*?> (\w+)", picture)}
    assert drawn == {(edge.source, edge.target) for edge in graph.get_graph().edges}


def test_the_table_of_sizes_is_the_presets() -> None:
    page = (ROOT / "docs" / "running.md").read_text()
    assert f"| size | {' | '.join(PRESETS)} |" in page
    rows = re.findall(r"^\| (`.+?) \| ([\d, ]+) \| ([\d, ]+) \| ([\d, ]+) \|$", page, re.MULTILINE)
    told: dict[str, tuple[int, ...]] = {}
    for names, *columns in rows:
        for name, *sizes in zip(re.findall(r"`(\w+)`", names), *(column.split(", ") for column in columns), strict=True):
            told[name] = tuple(map(int, sizes))
    assert told == {name: tuple(getattr(sizes, name) for sizes in PRESETS.values()) for name in Settings.__dataclass_fields__}


def test_the_models_page_names_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "models.md").read_text()
    assert all(f"`{name}`" in page for name in ModelSpec.model_fields if name not in ("provider", "name"))


def test_every_test_that_the_security_page_names_is_there() -> None:
    file, found = "", 0
    for named, name in re.findall(r"`(?:(tests/[\w/]+\.py)(?:::)?)?(test_\w+)?`", (ROOT / "docs" / "security.md").read_text()):
        file = named or file
        if name:
            assert f"def {name}(" in (ROOT / file).read_text(), (file, name)
            found += 1
    assert found > 10


def test_nothing_names_a_path_of_a_machine_or_a_registry() -> None:
    for path in [*PAGES, ROOT / "datasets" / "README.md", ROOT / "Makefile", ROOT / "pyproject.toml"]:
        assert not re.search(r"/(root|home|work|tmp)/|pypi\.org|://[^\s)]*pypi", path.read_text(encoding="utf-8")), path


def test_every_file_that_the_docs_name_is_there() -> None:
    for page in [*PAGES, ROOT / "datasets" / "README.md"]:
        named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|yaml|json|mmd|sql))`", page.read_text(encoding="utf-8"))
        assert not [name for name in named if not (ROOT / name).exists()], page.name


def test_what_the_walks_name_is_in_the_files_that_they_name() -> None:
    """In a sentence of a walk, names in backticks are defined in one of the files that the sentence or the step names."""
    steps = re.findall(r"^\d+\. (.+)$", (ROOT / "docs" / "walk.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(steps) == 21
    for step in steps:
        files = [name for name in re.findall(r"`([\w/]+\.py)`", step)]
        defined = {
            node.name
            for name in files
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        told = set(re.findall(r"`([A-Za-z_]+)`", step)) - {"tickets", "billing"}
        assert told <= defined, (step, told - defined)
