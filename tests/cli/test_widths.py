"""Every command in a real terminal of every width: no line is wider, no column and no figure is lost, none is cut."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

import metaspo
from metaspo.cli.main import main

from ..helpers import forked, terminal

pytestmark = pytest.mark.slow

WIDTHS = (40, 60, 80, 120)
LONG = "support_tickets_of_the_second_quarter_sorted_by_the_team_no_"
NAMES = (f"{LONG}1", f"{LONG}2", "t")
WIDE = "客户支持的工单按团队分类😀一二三"
BASES = ["scripted:novice", "scripted:dice"]
SIZES: dict[str, Any] = {"preset": "quick", "iterations": 1, "test_size": 8}
COMMANDS = {
    "show": ["show", "{done}"],
    "errors": ["show", "{done}", "--errors", "--limit", "1"],
    "generalization": ["show", "{generalization}"],
    "stopped": ["show", "{stopped}"],
    "runs": ["runs"],
    "history": ["history", "{done}"],
    "diff": ["diff", "{done}", "{stopped}"],
    "approve": ["approve", "{waiting}", "--json"],
    "verify": ["verify", "{stopped}"],
    "plan": ["optimize", "--plan", "--preset", "paper", "--base", "scripted:dice", "--optimizer", "scripted:dice"],
    "study": ["study", "s.yaml", "--plan"],
    "list": ["tasks", "list"],
    "check": ["tasks", "check", "1.yaml", "3.yaml", "app_reviews"],
    "try": ["tasks", "try", "3.yaml", "--base", "scripted:dice", "--examples", "1"],
    "methods": ["methods"],
}


class Place:
    """A folder with tasks of long names and wide words, and a store with a run of every kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert CliRunner().invoke(main, ["init"]).exit_code == 0
            task = Path("tickets.yaml").read_text(encoding="utf-8")
            for number, name in enumerate(NAMES, 1):
                Path(f"{number}.yaml").write_text(
                    task.replace("name: tickets", f"name: {name}").replace("Which team", f"{WIDE} Which team"), encoding="utf-8"
                )
            tasks = [f"{number}.yaml" for number in range(1, len(NAMES) + 1)]
            store = folder / "metaspo.db"
            common = {"optimizer": "scripted:dice", "store": store, **SIZES}
            done = metaspo.optimize(base=BASES, tasks=tasks, targets=["garden_or_money"], method="metaspo", **common)
            dice = {**common, "base": "scripted:dice", "tasks": tasks[:1], "targets": []}
            stopped = metaspo.optimize(**dice, method="metaspo", budget={"calls": 40})
            waiting = metaspo.optimize(**dice, method="outer_only", approve="system")
            words = [
                "generalize",
                "--prompt",
                done.run,
                "--tasks",
                "hotel_comments,shop_reviews",
                "--prompts",
                "2",
                "--test-size",
                "8",
            ]
            made = CliRunner().invoke(main, [*words, "--base", "scripted:dice", "--optimizer", "scripted:dice", "--json"])
            assert made.exit_code == 0, made.output
            generalization = json.loads(made.stdout)["run"]["id"]
            self.runs = {"done": done.run, "stopped": stopped.run, "waiting": waiting.run, "generalization": generalization}
            Path("s.yaml").write_text(
                "config: {base: 'scripted:dice', optimizer: 'scripted:dice', preset: quick, iterations: 1, test_size: 8}\n"
                f"methods: [fixed, metaspo]\nsettings: {{topics: {{tasks: [animals_or_health], targets: [garden_or_money]}}, "
                f"{WIDE}: {{tasks: [app_reviews], targets: [hotel_comments]}}}}\n"
            )

    def words(self, name: str) -> list[str]:
        return [word.format(**self.runs) for word in COMMANDS[name]]

    def data(self, *words: str) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            return json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("widths"))


@pytest.fixture(scope="module")
def every(place: Place) -> dict[int, dict[str, str]]:
    """Every command's output in a terminal of every width."""
    said = terminal.run(*map(place.words, COMMANDS), columns=WIDTHS, cwd=place.folder)
    return {
        width: {name: terminal.bare(text) for name, text in zip(COMMANDS, told, strict=True)}
        for width, told in zip(WIDTHS, said, strict=True)
    }


@pytest.fixture(params=WIDTHS)
def shown(every: dict[int, dict[str, str]], request: pytest.FixtureRequest) -> tuple[int, dict[str, str]]:
    """The same for one width."""
    return request.param, every[request.param]


def whole(text: str) -> str:
    """A text without the ends of its lines, and without what is around it."""
    return re.sub(r"[\s│╭╮╰╯─]+", "", text)


def figures(text: str) -> set[str]:
    return set(re.split(r"[\s|│]+", text))


def percent(value: float | None, sign: str = "") -> str:
    return f"{100 * value:{sign}.1f}" if value is not None else "none"


def test_no_line_is_wider_and_nothing_is_cut(shown: tuple[int, dict[str, str]]) -> None:
    width, said = shown
    for name, text in said.items():
        if name == "approve":  # JSON is exact, whatever the terminal.
            continue
        for line in text.split("\n"):
            assert cell_len(line) <= width, (name, cell_len(line), line)
        assert "\x1b" not in text and "Traceback" not in text
        assert "…" not in text, name
        if name not in ("history", "list", "methods", "plan", "study", "errors", "verify"):
            assert text.strip(), name


def test_a_run_loses_no_column_name_or_figure(place: Place, shown: tuple[int, dict[str, str]]) -> None:
    text = shown[1]["show"]
    data, there = place.data("show", place.runs["done"]), figures(text)
    for heading in ("task", "n", "before", "after", "change", "95% interval", "majority", "unparsed", "base model", "right",
                    "wrong", "ungraded", "user prompt", "input tokens", "level", "dropped proposals"):  # fmt: skip
        assert heading in text
    for task in data["tasks"]:
        assert task["name"] in whole(text)
        moved = task["difference"]
        wanted = {percent(task["before"]), percent(task["after"]), percent(moved["value"], "+"), percent(task["majority"])}
        assert wanted | {str(task["examples"])} <= there
        assert f"{100 * moved['low']:+.0f} to {100 * moved['high']:+.0f}" in text
        for one in task["models"]:
            assert one["model"] in text and {percent(one["before"]), percent(one["after"])} <= there
    for row in data["rounds"]:
        assert percent(row["score"]) in there and row["system"][:8] in text
    assert all(f"userpromptof{name}" in whole(text) for name in NAMES)
    assert text.startswith(("Test scores", "Nothing", "On ")) and "\nNext\n" in text


@pytest.mark.parametrize("width", [28, 40])
def test_what_comes_next_can_be_pasted(place: Place, width: int) -> None:
    """Every command that a narrow terminal shows, given to a shell as it stands there."""
    deep = place.folder / "a folder with it's own name and more words than fit"
    deep.mkdir(exist_ok=True)
    store = deep / "runs of this year.db"
    shutil.copyfile(place.folder / "metaspo.db", store)
    words = [["show", place.runs[name], "--store", str(store)] for name in ("stopped", "waiting", "done", "generalization")]
    words += [["resume", place.runs["stopped"], "--store", str(store)]]
    [told] = terminal.run(*words, columns=[width], cwd=place.folder)
    names = []
    for said in map(terminal.bare, told):
        assert max(map(cell_len, said.split("\n"))) <= width
        for text in re.findall(r"^ *(?:\S.*: )?(metaspo (?:.*\\\n)*.*)$", said, re.MULTILINE):
            shell = f"metaspo() {{ printf '%s\\n' \"$@\"; }}\n{text}"
            got = forked.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout.splitlines()
            names.append(got[0])
            assert got[got.index("--store") + 1] == str(store) and got[1] in {run[:8] for run in place.runs.values()}
    assert {"show", "resume", "approve", "report"} <= {*names}


def test_lists_lose_nothing(place: Place, shown: tuple[int, dict[str, str]]) -> None:
    _, said = shown
    for row in place.data("runs"):
        here = figures(said["runs"])
        assert {row["status"], str(row["calls"])} <= here and row["run"][:8] in said["runs"]
        assert row["score"] is None or percent(row["score"]) in here
    for row in place.data("history", place.runs["done"]):
        assert row["checkpoint"] in said["history"] and percent(row["score"]) in figures(said["history"])
    for row in place.data("tasks", "list"):
        assert all(str(value) in whole(said["list"]) for value in (next(iter(row.values())),))
    for row in place.data("tasks", "check", "1.yaml", "3.yaml", "app_reviews"):
        assert row["task"] in whole(said["check"])
    for row in place.data("methods"):
        assert row["method"] in whole(said["methods"]) and re.sub(r"\s", "", row["what it does"]) in whole(said["methods"])


def test_comparisons_and_plans_lose_nothing(place: Place, shown: tuple[int, dict[str, str]]) -> None:
    _, said = shown
    compared, text = place.data("diff", place.runs["done"], place.runs["stopped"]), said["diff"]
    assert {f"{calls:,}" for calls in compared["calls"]} <= figures(text)
    for key, values in compared["settings"].items():
        assert key in text and {str(value) for value in values if isinstance(value, int | float)} <= figures(text)
    for need in place.data(*place.words("plan")):
        assert {f"{need[key]:,}" for key in ("calls", "input_tokens", "output_tokens")} <= figures(said["plan"])
    assert all(name in said["plan"] for name in ("calls, at most", "input tokens, estimate", "cost, estimate"))


def test_two_prompts_on_other_tasks_lose_nothing(place: Place, shown: tuple[int, dict[str, str]]) -> None:
    _, said = shown
    data, there = place.data("show", place.runs["generalization"]), figures(said["generalization"])
    for heading in ("candidate", "its 95%", "baseline", "change", "wins", "majority"):
        assert heading in said["generalization"]
    for task in data["tasks"]:
        sides = [task[side]["mean"]["value"] for side in ("candidate", "baseline")]
        assert {*map(percent, sides), percent(task["difference"]["value"], "+"), f"{100 * task['win_rate']:.0f}"} <= there


STUDY = ["study", "s.yaml"]
ADAPT = ["adapt", "--prompt", "{done}", "--base", "scripted:dice", "--optimizer", "scripted:dice", "--tasks", "hotel_comments",
         "--set", "preset=quick", "--set", "iterations=1", "--set", "test_size=8", "--shares", "0.5,1"]  # fmt: skip


@pytest.mark.slow
def test_what_takes_long_or_asks_loses_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    adapt = [word.format(**place.runs) for word in ADAPT]
    study, adapted = place.data(*STUDY), place.data(*adapt)
    request = json.loads(CliRunner().invoke(main, ["approve", place.runs["waiting"], "--json"]).stdout)
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        told = [CliRunner().invoke(main, words).stdout for words in (STUDY, adapt, ["approve", place.runs["waiting"]])]
        for text in told:
            assert max(map(cell_len, text.splitlines())) <= width and "…" not in text
        for entry in study["entries"]:
            assert f"{100 * entry['score']:.1f} [{100 * entry['low']:.0f}, {100 * entry['high']:.0f}; examples]" in told[0]
            assert entry["setting"] in told[0] and entry["method"] in told[0]
        for usage in study["paid"].values():
            assert f"{sum(usage['calls'].values()):,}" in figures(told[0])
        for curve in adapted["curves"]:
            assert f"{curve['side']}, {curve['train_size']}" in told[1]
            assert {percent(row["test"]) for row in curve["means"] if row["test"] is not None} <= figures(told[1])
        for task in request["changes"][0]["tasks"]:
            assert task["task"] in whole(told[2]) and {percent(task["before"]), percent(task["after"])} <= figures(told[2])


SMALL_RUN = [
    "optimize", "--task", "app_reviews", "--method", "outer_only", "--base", "scripted:dice", "--optimizer", "scripted:dice",
    "--set", "iterations=1", "--set", "train_size=8", "--set", "test_size=8",
]  # fmt: skip


def test_progress_fits_its_terminal_and_says_a_rate_when_it_knows_one(place: Place) -> None:
    widths = (40, 80)
    for width, [said] in zip(
        widths, terminal.run([*SMALL_RUN, "--store", "p.db"], columns=widths, cwd=place.folder), strict=True
    ):
        assert max(cell_len(terminal.ESCAPES.sub("", part)) for part in re.split(r"[\r\n]", said)) <= width
        assert not re.search(r"(?<!\d)0\.0 calls/s", said) and "score" in said
    [[plain]] = terminal.run([*SMALL_RUN, "--store", "dumb.db"], columns=[60], cwd=place.folder, set={"TERM": "dumb"})
    assert "\x1b" not in plain and max(map(cell_len, plain.split("\n"))) <= 60 and "final test done" in plain


@pytest.mark.parametrize("settings", [{"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_no_control_codes_where_no_terminal_is(settings: dict[str, str], place: Place) -> None:
    command = [sys.executable, "-m", "metaspo", *SMALL_RUN, "--store", f"{next(iter(settings))}.db"]
    done = forked.run(
        command, cwd=place.folder, env={**os.environ, **settings, "TERM": "xterm"}, capture_output=True, check=True
    )
    for said in (done.stdout, done.stderr):
        assert not re.search(rb"\x1b(?!\[[0-9;]*m)|\r", said)


@pytest.mark.parametrize(
    ("set", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, None)],
)  # fmt: skip
def test_colours_are_left_out_where_they_are_not_wanted(place: Place, set: dict[str, str], coloured: bool | None) -> None:
    [[said]] = terminal.run(place.words("show"), columns=[60], cwd=place.folder, set=set)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", said)) == bool(coloured)
    if coloured is None:
        assert "\x1b" not in said and max(map(cell_len, said.split("\n"))) <= 60


def test_elsewhere_a_width_is_what_columns_says(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    for columns, most in ((None, 80), ("50", 50), ("none", 80)):
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        told = CliRunner().invoke(main, place.words("show")).stdout
        assert most - 10 < max(map(cell_len, told.splitlines())) <= most and "\x1b" not in told
